/** Notes what has to be closed. */
export type Open = <T>(opening: Promise<T>, close: (opened: T) => Promise<void>) => Promise<T>;

/** Runs `act` and closes what it opened, the last first, however it ended. An error of `act` matters more than one of closing. */
export async function withOpened<T>(act: (open: Open) => Promise<T>): Promise<T> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const problems: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw problems[0];
  };
  const open: Open = async (opening, close) => {
    const opened = await opening;
    closers.push(() => close(opened));
    return opened;
  };
  let result: T;
  try {
    result = await act(open);
  } catch (error) {
    await closeAll().catch(() => undefined);
    throw error;
  }
  await closeAll();
  return result;
}
