/** What is said beside a running program, on its standard error. */
export interface Notices {
  say(sentence: string): void;
  /**
   * Says it unless the subject is in trouble of this kind already, or the same has just been said of others: while a server is away,
   * that is one line and not one for each lease.
   * @param what who it is about, and what of it; followed by why.
   */
  trouble(subject: string, kind: string, what: string, why: string): void;
  /** A subject is out of its trouble. Says so once none is in any that was said. */
  over(subject: string, sentence: string): void;
}

const LEASE_IDS = /\b[a-z2-7]{24}\b/g;

/** @param say says a sentence in a line of its own. */
export function createNotices(say: (sentence: string) => void): Notices {
  const kinds = new Map<string, Set<string>>();
  const reasons = new Set<string>();
  return {
    say,
    trouble: (subject, kind, what, why) => {
      const known = kinds.get(subject) ?? new Set();
      const reason = why.replace(LEASE_IDS, '');
      if (!known.has(kind) && !reasons.has(reason)) say(`${what}${why}`);
      kinds.set(subject, known.add(kind));
      reasons.add(reason);
    },
    over: (subject, sentence) => {
      if (!kinds.delete(subject) || kinds.size > 0) return;
      reasons.clear();
      say(sentence);
    },
  };
}
