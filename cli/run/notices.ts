/** What is said beside a running program, on its standard error. */
export interface Notices {
  say(sentence: string): void;
  /** Says it unless a trouble of this kind has been said already and is not over. */
  trouble(kind: string, sentence: string): void;
  /** Says that the troubles are over, if there were any. */
  over(sentence: string): void;
}

/** @param say says a sentence in a line of its own. */
export function createNotices(say: (sentence: string) => void): Notices {
  const troubles = new Set<string>();
  return {
    say,
    trouble: (kind, sentence) => {
      if (troubles.has(kind)) return;
      troubles.add(kind);
      say(sentence);
    },
    over: (sentence) => {
      if (troubles.size === 0) return;
      troubles.clear();
      say(sentence);
    },
  };
}
