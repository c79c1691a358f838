/** What comes so soon after the first is the same call: npx, timeout and shells pass on what has reached the process already. */
const ECHO_MS = 1_000;

/**
 * The first Ctrl-C calls off what a command does; one that follows later ends the process at once, as ever.
 * @param hangUp whether a terminal that closes does so too, which then ends a command under nohup.
 */
export function listenForInterrupt({ hangUp = false } = {}): { readonly signal: AbortSignal; close(): void } {
  const names: readonly NodeJS.Signals[] = hangUp ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];
  const controller = new AbortController();
  let calledAt: number | null = null;
  const call = (name: NodeJS.Signals): void => {
    if (calledAt === null) {
      calledAt = performance.now();
      controller.abort();
    } else if (performance.now() - calledAt > ECHO_MS) {
      close();
      process.kill(process.pid, name);
    }
  };
  const close = (): void => {
    for (const name of names) process.off(name, call);
  };
  for (const name of names) process.on(name, call);
  return { signal: controller.signal, close };
}
