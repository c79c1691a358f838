import { allVariables } from '../../config/environment';
import { FORMATS } from '../../flat/formats';
import type { FormatName } from '../../flat/format-names';
import { SameNameError, transformNames } from '../../flat/transformers';
import { UsageError } from '../exit';
import type { Delivery, Values } from './delivery';
import { childEnvironment } from './environment';
import type { Preserve } from './environment';
import { openMount } from './mount';
import type { Notices } from './notices';

/** The variable that says where the mount is. */
const PATH_VARIABLE = 'LEASEHOLD_SECRETS_PATH';

export interface MountSettings {
  readonly path: string;
  readonly format: FormatName;
  /** Undefined: as often as wanted. */
  readonly maxReads: number | undefined;
}

/** In a pipe that the program reads as a file. @throws UsageError if there can be none. */
export async function inMount(
  statics: Values,
  { path, format, maxReads }: MountSettings,
  preserve: Preserve | undefined,
  notices: Notices,
): Promise<Delivery> {
  const mount = await openMount(path, maxReads ?? Infinity, (sentence) => {
    notices.say(sentence);
  });
  return {
    hand: (leased) => mount.fill(FORMATS[format].write(named([...statics, ...leased], format))),
    environment: () => ({
      ...childEnvironment(allVariables(), new Map(), preserve).variables,
      [PATH_VARIABLE]: mount.path,
    }),
    close: mount.close,
  };
}

/** By name, as the format has them. */
function named(entries: readonly (readonly [string, string])[], format: FormatName): Values {
  const secrets = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  try {
    const names = transformNames([...secrets.keys()], format === 'dotnet-json' ? 'dotnet' : null);
    return new Map([...names].map(([name, as]) => [as, secrets.get(name) ?? '']));
  } catch (error) {
    throw error instanceof SameNameError ? new UsageError(error.message) : error;
  }
}
