const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there. Choose another port',
  EADDRNOTAVAIL: 'this machine does not have that address. Choose one that it has',
  EACCES: 'this process may not listen there. Choose a port from 1024 up',
  ENOTFOUND: 'no such host is known. Correct its name',
};

/** Where something listens, as it stands in a URL. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Why nothing can listen at an address, and what to do, in the words that follow what was to be done. */
export function explainListenFailure(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
  return `(${code}): ${REASONS[code] ?? 'the system refuses it. Choose another address'}`;
}
