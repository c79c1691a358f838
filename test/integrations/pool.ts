/** Runs jobs, so many at a time, in the order in which they were given. */
export type Pool = <T>(job: () => Promise<T>) => Promise<T>;

export function createPool(slots: number): Pool {
  let free = slots;
  const waiting: (() => void)[] = [];
  return async (job) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Runs all cases and answers what went wrong, with the name of the case: one that fails must not hide the others. */
export async function failuresOf<Case>(
  pool: Pool,
  cases: readonly Case[],
  name: (each: Case) => string,
  run: (each: Case) => Promise<void>,
): Promise<string[]> {
  const failures: string[] = [];
  await Promise.all(
    cases.map((each) =>
      pool(async () => {
        try {
          await run(each);
        } catch (error) {
          failures.push(`${name(each)}: ${(error as Error).message}`);
        }
      }),
    ),
  );
  return failures;
}
