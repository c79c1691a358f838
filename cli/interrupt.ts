/** The first Ctrl-C calls off what a command does; the second one ends the process at once, as ever. */
export function listenForInterrupt(): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const abort = (): void => {
    close();
    controller.abort();
  };
  const close = (): void => {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  };
  process.on('SIGINT', abort).on('SIGTERM', abort);
  return { signal: controller.signal, close };
}
