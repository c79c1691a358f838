import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onFreePorts } from './ports';
import { projectRoot } from './root';
import { startProcess } from './process';
import type { RunningProcess } from './process';
import type { TemporalServer } from './temporal-server';

export interface ApiOptions {
  readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
  readonly configFile: string;
  readonly logDirectory: string;
}

export interface RunningApi {
  readonly process: RunningProcess;
  readonly url: string;
}

/** The API's own default. */
const USUAL_PORT = 8_400;

/** Starts the HTTP API as it runs in production, without any provider's credential, and waits until it is ready. */
export async function startApi({ temporal, configFile, logDirectory }: ApiOptions): Promise<RunningApi> {
  return onFreePorts({ api: USUAL_PORT }, async ({ api }) => {
    const logFile = join(logDirectory, `api-${Date.now()}.log`);
    const running = await startProcess({
      command: process.execPath,
      args: [join(projectRoot(), 'dist', 'api', 'main.js'), '--config', configFile, '--listen', `127.0.0.1:${api}`],
      environment: {
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: temporal.namespace,
        // There is no balancer that must notice, and a person at a terminal who waits.
        LEASEHOLD_API_LEAVE: '0s',
      },
      logFile,
      ready: async () => (await readFile(logFile, 'utf8')).includes('The API is ready.'),
    });
    return { process: running, url: `http://127.0.0.1:${api}` };
  });
}
