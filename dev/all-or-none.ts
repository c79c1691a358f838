/** Something that was started. */
interface Stoppable {
  stop(): Promise<void>;
}

/** Parts that are being started, by their names. */
export type Starting<Parts> = { readonly [Name in keyof Parts]: Promise<Parts[Name]> };

/** What was started together, and how to end it. */
export interface Together<Parts> {
  readonly parts: Parts;
  /** Ends all of them, last first, and then tells of the first one that did not end well. Safe to call again. */
  stop(): Promise<void>;
}

/** Waits for parts that start at the same time; if one does not come up the others are stopped. */
export async function allOrNone<Parts extends object>(starting: {
  readonly [Name in keyof Parts]: Promise<Parts[Name] & Stoppable>;
}): Promise<Together<Parts>> {
  const entries = Object.entries<Promise<Stoppable>>(starting);
  const results = await Promise.allSettled(entries.map(([, part]) => part));
  const up = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const failed = results.find((result) => result.status === 'rejected');
  const stop = (): Promise<void> => stopAll(up);
  if (failed !== undefined) {
    await stop().catch(() => undefined);
    throw failed.reason;
  }
  const parts = Object.fromEntries(entries.map(([name], index) => [name, up[index]])) as Parts;
  return { parts, stop };
}

async function stopAll(parts: readonly Stoppable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts.toReversed()) await part.stop().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
