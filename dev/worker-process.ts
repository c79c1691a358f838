import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { orchestratorEnvironment } from './development';
import type { Providers } from './development';
import { projectRoot } from './root';
import { startProcess } from './process';
import type { RunningProcess } from './process';
import type { TemporalServer } from './temporal-server';

/** The providers are those of the configuration: their credentials go to the worker through its environment alone. */
export interface WorkerOptions extends Providers {
  readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
  readonly configFile: string;
  readonly logDirectory: string;
}

/** Starts the worker as it runs in production, in a process of its own, and waits until it is ready. */
export async function startWorker(options: WorkerOptions): Promise<RunningProcess> {
  const { temporal, configFile, logDirectory } = options;
  const logFile = join(logDirectory, `worker-${Date.now()}.log`);
  return startProcess({
    command: process.execPath,
    args: [join(projectRoot(), 'dist', 'worker', 'main.js'), '--config', configFile],
    environment: {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      ...orchestratorEnvironment(options),
    },
    logFile,
    ready: async () => (await readFile(logFile, 'utf8')).includes('The worker is ready.'),
  });
}
