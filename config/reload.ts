import { ConfigError, parseConfig, readConfigText } from './load';
import type { Config } from './load';
import type { Types } from './parts';
import { watchFiles } from './watch';

export interface ReloadOptions {
  readonly file: string;
  /** The registry of integration types. */
  readonly types: Types;
  /** What the process began with. */
  readonly initial: Config;
  /** Further files that are put in force together with a configuration, e.g. its certificate. */
  readonly files?: (config: Config) => readonly string[];
  /**
   * Puts a checked configuration in force, whole or not at all. It may be the one that is in force already.
   * @throws if it cannot be. Then that one stays, and it is tried again every minute.
   */
  readonly apply: (next: Config, inForce: Config) => Promise<void>;
  /** Another configuration is in force. */
  readonly taken: (config: Config) => void;
  /** Why the one that the file holds is not in force. Told once, not at each further try. */
  readonly refused: (error: unknown) => void;
  /** How often the file is looked at. */
  readonly everyMs?: number;
}

export interface Reload {
  /** The configuration in force. */
  current(): Config;
  /** Reads the file now, changed or not, as on SIGHUP; ends once it is in force or refused. */
  now(): Promise<void>;
  /** Nothing new is put in force afterwards; ends once what was being put in force is. */
  stop(): Promise<void>;
}

const AGAIN_AFTER_MS = 60_000;

/** Keeps the configuration that is in force the one that its file holds. One with mistakes changes nothing. */
export function startReload(options: ReloadOptions): Reload {
  const { file, types, apply } = options;
  let inForce = options.initial;
  /** The text that was last refused, and why; null: it could not even be read. */
  let refused: { readonly text: string | null; readonly why: string } | undefined;
  let turn: Promise<void> = Promise.resolve();
  let again: NodeJS.Timeout | undefined;
  let isStopped = false;

  const refuse = (error: unknown, text: string | null, isAsked: boolean): void => {
    const why = error instanceof Error ? error.message : '';
    if (isAsked || refused?.text !== text || refused.why !== why) options.refused(error);
    refused = { text, why };
  };

  const read = async (isAsked: boolean): Promise<void> => {
    if (isStopped) return;
    clearTimeout(again);
    let text: string | null = null;
    let next: Config;
    try {
      text = readConfigText(file);
      next = parseConfig(text, types, file);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      refuse(error, text, isAsked);
      return;
    }
    try {
      await apply(next, inForce);
    } catch (error) {
      refuse(error, text, isAsked);
      again = setTimeout(() => void inTurn(false), AGAIN_AFTER_MS);
      again.unref();
      return;
    }
    refused = undefined;
    const isAnother = next.hash !== inForce.hash;
    inForce = next;
    if (isAnother) options.taken(next);
  };

  /** One after the other, so that the last one read is the one in force. */
  const inTurn = (isAsked: boolean): Promise<void> => {
    turn = turn
      .then(() => read(isAsked))
      .catch((error: unknown) => {
        options.refused(error);
      });
    return turn;
  };

  const watch = watchFiles(
    () => [file, ...(options.files?.(inForce) ?? [])],
    () => void inTurn(false),
    options.everyMs,
  );
  return {
    current: () => inForce,
    now: () => inTurn(true),
    stop: async () => {
      isStopped = true;
      watch.stop();
      clearTimeout(again);
      await turn;
    },
  };
}
