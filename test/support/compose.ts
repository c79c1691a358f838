import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(__dirname, '../..');

/** What our tests look at in a service of temporal-compose.yml; its whole form is checked against the Compose schema. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: unknown;
  readonly user?: string;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly volumes?: readonly (string | { readonly type: string; readonly source: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly configs: Readonly<Record<string, { readonly file?: string }>>;
}

export function composeText(): string {
  return readFileSync(join(ROOT, 'temporal-compose.yml'), 'utf8');
}

/** The file with its anchors and merges resolved, and its variables as they are written. */
export function composeFile(text = composeText()): ComposeFile {
  return parse(text, { merge: true, strict: true, maxAliasCount: 1_000 }) as ComposeFile;
}

/** As Compose puts variables in: `$$` is a dollar, and a required one that is missing or empty stops it. */
export function interpolate(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$(?:\$|\{(\w+)(?::\?([^}]*))?\})/g, (whole, name: string | undefined, sentence?: string) => {
    if (name === undefined) return '$';
    const value = variables[name] ?? '';
    if (value !== '') return value;
    throw new Error(`${whole} has no value: ${sentence ?? ''}`);
  });
}

/** The variables of a file such as .env, written as ours are: without quotes. */
export function readDotenv(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));
}
