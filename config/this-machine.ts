/** For sentences. */
export const THIS_MACHINE = 'localhost, 127.0.0.1 or [::1]';

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a host, as a URL names it, is this machine. */
export function isLocal(hostname: string): boolean {
  return LOCAL.has(hostname);
}
