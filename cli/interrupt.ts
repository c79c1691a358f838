/**
 * The first Ctrl-C calls off what a command does; the second one ends the process at once, as ever.
 * @param hangUp whether a terminal that closes does so too, which then ends a command under nohup.
 */
export function listenForInterrupt({ hangUp = false } = {}): { readonly signal: AbortSignal; close(): void } {
  const names: readonly NodeJS.Signals[] = hangUp ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];
  const controller = new AbortController();
  const abort = (): void => {
    close();
    controller.abort();
  };
  const close = (): void => {
    for (const name of names) process.off(name, abort);
  };
  for (const name of names) process.on(name, abort);
  return { signal: controller.signal, close };
}
