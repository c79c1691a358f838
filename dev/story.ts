/** Writes one line for the person who watches. */
export type Say = (line: string) => void;

export const say: Say = (line) => {
  process.stdout.write(`${line}\n`);
};

/** Lines with the time since the beginning, and a list of what was claimed and not seen. */
export interface Story {
  tell(text: string): void;
  /** Tells it as seen, or as failed. */
  check(seen: boolean, claim: string): void;
  heading(text: string): void;
  failures(): number;
}

export function beginStory(write: Say = say): Story {
  const start = performance.now();
  let failures = 0;
  const stamp = (): string => `${((performance.now() - start) / 1_000).toFixed(1).padStart(6)} s`;
  return {
    tell: (text) => {
      write(`${stamp()}    ${text}`);
    },
    check: (seen, claim) => {
      if (!seen) failures += 1;
      write(`${stamp()}  ${seen ? '✓' : '✗'} ${claim}`);
    },
    heading: (text) => {
      write(`\n${text}`);
    },
    failures: () => failures,
  };
}
