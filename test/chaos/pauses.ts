/** Waits that can be cut short. */
export interface Pauses {
  pause(ms: number): Promise<void>;
  /** Ends all that are under way. Those that begin before `act` is over end at once. */
  skipDuring(act: () => Promise<void>): Promise<void>;
}

export function createPauses(): Pauses {
  const waiting = new Set<() => void>();
  let skipping = 0;
  return {
    pause: (ms) =>
      new Promise((resolve) => {
        const over = (): void => {
          clearTimeout(timer);
          waiting.delete(over);
          resolve();
        };
        const timer = setTimeout(over, skipping > 0 ? 0 : ms);
        waiting.add(over);
      }),
    skipDuring: async (act) => {
      skipping += 1;
      for (const over of [...waiting]) over();
      try {
        await act();
      } finally {
        skipping -= 1;
      }
    },
  };
}
