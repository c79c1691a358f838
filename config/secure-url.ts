import { isLocal, THIS_MACHINE } from './this-machine';

/** Said of an address at which credentials could be read on the way. */
const INSECURE = `must be an https:// URL, or http:// to ${THIS_MACHINE}; for an emulator in a network of its own set insecure_http: true`;

export interface Endpoints {
  /** Names of the settings that hold a URL. */
  readonly fields: readonly string[];
  /** The provider itself is at these hosts and below them. */
  readonly own: readonly string[];
}

/** What zod hands to a check of settings. */
export interface CheckedSettings {
  readonly value: Readonly<Record<string, unknown>>;
  readonly issues: unknown[];
}

/**
 * Makes a check for settings: nobody on the way may read what is sent to a provider and what it answers, unless `insecure_http`
 * says that it is none. Whatever that says, the provider itself is not spoken to so. Only http:// is judged.
 */
export function secureEndpoints({ fields, own }: Endpoints): (checked: CheckedSettings) => void {
  return ({ value, issues }) => {
    for (const field of fields) {
      const url = value[field];
      const host = typeof url === 'string' ? hostOverHttp(url) : null;
      if (host === null || isLocal(host)) continue;
      const isOwn = own.some((each) => `.${host.replace(/\.$/, '')}`.endsWith(`.${each}`));
      if (value['insecure_http'] === true && !isOwn) continue;
      const message = isOwn ? 'must be an https:// URL: this is the provider itself' : INSECURE;
      issues.push({ code: 'custom', input: url, path: [field], message });
    }
  };
}

function hostOverHttp(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' ? hostname : null;
}
