/** The first Ctrl-C, or the end of the terminal, calls off what a command does; the second one ends the process at once, as ever. */
export function listenForInterrupt(): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const abort = (): void => {
    close();
    controller.abort();
  };
  const close = (): void => {
    for (const name of SIGNALS) process.off(name, abort);
  };
  for (const name of SIGNALS) process.on(name, abort);
  return { signal: controller.signal, close };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
