/** Notes what has to be closed. */
export type Open = <T>(opening: Promise<T>, close: (opened: T) => Promise<void>) => Promise<T>;

/**
 * Runs `act` and closes what it opened, the last first, however it ended. An error of `act` matters more than one of closing.
 * @param tell is told each problem of closing if `act` has a result, which then stands. Absent: the first of them is thrown.
 */
export async function withOpened<T>(act: (open: Open) => Promise<T>, tell?: (problem: unknown) => void): Promise<T> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<readonly unknown[]> => {
    const problems: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => problems.push(error));
    return problems;
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
    await closeAll();
    throw error;
  }
  const problems = await closeAll();
  if (tell === undefined && problems.length > 0) throw problems[0];
  for (const problem of problems) tell?.(problem);
  return result;
}
