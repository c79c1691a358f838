import { allVariables } from '../../config/environment';
import { childEnvironment } from './environment';
import type { Preserve } from './environment';
import type { Notices } from './notices';

export type Values = ReadonlyMap<string, string>;

/** The way on which a program gets its secrets. */
export interface Delivery {
  /** From now on these, beside the static ones. */
  hand(leased: Values): Promise<void>;
  /** The variables of a program that is started now. */
  environment(): Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

export interface VariablesSettings {
  /** Variables that win over secrets. */
  readonly preserve: Preserve | undefined;
  /** Secrets that were asked for by name. */
  readonly asked: readonly string[] | undefined;
}

/** In the program's environment. @throws UsageError if a static secret cannot stand there. */
export function inEnvironment(statics: Values, { preserve, asked }: VariablesSettings, notices: Notices): Delivery {
  let secrets = statics;
  const told = new Set<string>();
  const build = (): Readonly<Record<string, string>> => {
    const { variables, withheld } = childEnvironment(allVariables(), secrets, preserve, asked);
    const untold = withheld.filter((name) => !told.has(name));
    for (const name of untold) told.add(name);
    if (untold.length > 0) {
      notices.say(
        `Not handed out as variables, because programs break or run other code with them: ${untold.join(', ')}.`,
      );
    }
    return variables;
  };
  build();
  return {
    hand: (leased) => {
      secrets = new Map([...statics, ...leased]);
      return Promise.resolve();
    },
    environment: build,
    close: () => Promise.resolve(),
  };
}
