import { installing } from '../../packaging/missing';
import { CLIENTS } from '../../packaging/parts';
import { IntegrationError } from './integration';
import type { Integration } from './integration';

// Providers' clients are large, and none is needed to read a configuration: they are loaded where leases are made, for the
// integrations that are there.

/** In words, whose client it is. */
const OWNERS = { aws_iam: 'AWS', aws_sts: 'AWS', datadog: 'Datadog', postgresql: 'PostgreSQL' } as const;

/**
 * Loads modules that need the client of a provider.
 * @throws IntegrationError `Refused` when it is not installed, or not as it is known here.
 */
export function loadClient<T>(
  type: keyof typeof CLIENTS,
  load: () => Promise<T>,
  operation = 'Connecting',
): Promise<T> {
  // Neither message nor path: whatever went wrong with it, this is the way out.
  return load().catch(() => {
    throw new IntegrationError('Refused', {
      operation,
      hint:
        `${OWNERS[type]}'s client is not installed on this worker, or in a version that Leasehold does not know: ` +
        `run ${installing(CLIENTS[type])} where Leasehold is installed, and restart the worker.`,
    });
  });
}

/** An integration that is opened at the first call, and again at the next one where that failed. */
export function connectLazily<Parameters>(open: () => Promise<Integration<Parameters>>): Integration<Parameters> {
  let opened: Promise<Integration<Parameters>> | undefined;
  const get = (): Promise<Integration<Parameters>> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));
  return {
    provision: async (...args) => (await get()).provision(...args),
    extend: async (...args) => (await get()).extend(...args),
    deprovision: async (...args) => (await get()).deprovision(...args),
    list: async (...args) => (await get()).list(...args),
    readMarks: async (...args) => (await get()).readMarks(...args),
    quota: async (...args) => (await get()).quota(...args),
    check: async (...args) => (await get()).check(...args),
    close: () => {
      opened?.then(
        (integration) => {
          integration.close();
        },
        () => undefined,
      );
    },
  };
}
