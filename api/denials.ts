/** Keeps those who show no valid token from flooding the audit log. */
export interface Denials {
  /** Whether this refusal gets a line of its own; if not, it is counted. */
  note(source: string): boolean;
  /** Tells of those that were counted, at once. */
  close(): Promise<void>;
}

export interface DenialsOptions {
  /** Writes one line for all that were counted. @param source null: many different ones. */
  readonly summarise: (source: string | null, count: number) => Promise<void>;
  readonly windowMs?: number;
}

const WINDOW_MS = 60_000;
/** Lines of its own that a source gets in a minute. */
const LINES = 5;
/** Sources that are told apart in a minute. */
const SOURCES = 100;

export function boundDenials({ summarise, windowMs = WINDOW_MS }: DenialsOptions): Denials {
  let counts = new Map<string | null, number>();
  let timer: NodeJS.Timeout | undefined;

  const end = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const over = counts;
    counts = new Map();
    for (const [source, count] of over) if (count > LINES) await summarise(source, count - LINES);
  };

  return {
    note: (source) => {
      timer ??= setTimeout(() => void end(), windowMs).unref();
      const key = counts.has(source) || counts.size < SOURCES ? source : null;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count <= LINES;
    },
    close: end,
  };
}
