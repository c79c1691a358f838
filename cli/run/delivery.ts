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

/** In the program's environment. @throws UsageError if a static secret cannot stand there. */
export function inEnvironment(statics: Values, preserve: Preserve | undefined, notices: Notices): Delivery {
  let secrets = statics;
  const build = (): ReturnType<typeof childEnvironment> => childEnvironment(allVariables(), secrets, preserve);
  const { withheld } = build();
  if (withheld.length > 0) {
    notices.say(
      `Not handed out as variables, because programs break or run other code with them: ${withheld.join(', ')}.`,
    );
  }
  return {
    hand: (leased) => {
      secrets = new Map([...statics, ...leased]);
      return Promise.resolve();
    },
    environment: () => build().variables,
    close: () => Promise.resolve(),
  };
}
