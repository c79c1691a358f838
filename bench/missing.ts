import type { BenchContext } from './bench';

/** What was to be measured and was not, collected while a bench runs: what was measured before stands. */
export interface Missing {
  /** In the order in which it came up. */
  readonly sentences: readonly string[];
  note(sentence: string): void;
  /**
   * Runs one part. If it fails, or somebody has asked to end, that is noted, and the answer is null.
   * @param lost says what there is not then, as the beginning of a sentence.
   */
  attempt<T>(lost: string, part: () => Promise<T>): Promise<T | null>;
  /** Notes that something which was started could not be stopped. */
  readonly noteUnstopped: (problem: unknown) => void;
}

export function collectMissing({ say, signal }: Pick<BenchContext, 'say' | 'signal'>): Missing {
  const sentences: string[] = [];
  const note = (sentence: string): void => {
    sentences.push(sentence);
    say(sentence);
  };
  return {
    sentences,
    note,
    noteUnstopped: (problem) => {
      note(`Not all that was started could be stopped: ${messageOf(problem)}`);
    },
    attempt: async (lost, part) => {
      try {
        signal.throwIfAborted();
        return await part();
      } catch (error) {
        note(`${lost}: ${signal.aborted ? 'the bench was asked to end.' : messageOf(error)}`);
        return null;
      }
    },
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** So many different sentences are shown. */
const SHOWN = 5;

/** What calls failed of, each sentence once. */
export function reasonsOf(failures: readonly string[]): string {
  const different = [...new Set(failures)];
  const more = different.length - SHOWN;
  return `${different.slice(0, SHOWN).join(' / ')}${more > 0 ? ` / and ${more} more` : ''}`;
}
