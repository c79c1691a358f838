import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AwsEmulator } from './aws-emulator';
import { ORCHESTRATOR } from './development';
import { projectRoot } from './root';
import { startProcess } from './process';
import type { RunningProcess } from './process';
import type { TemporalServer } from './temporal-server';

export interface WorkerOptions {
  readonly temporal: Pick<TemporalServer, 'address' | 'namespace'>;
  readonly aws: AwsEmulator;
  readonly configFile: string;
  readonly logDirectory: string;
}

/** Starts the worker as it runs in production, in a process of its own, and waits until it is ready. */
export async function startWorker({ temporal, aws, configFile, logDirectory }: WorkerOptions): Promise<RunningProcess> {
  const logFile = join(logDirectory, `worker-${Date.now()}.log`);
  return startProcess({
    command: process.execPath,
    args: [join(projectRoot(), 'dist', 'worker', 'main.js'), '--config', configFile],
    environment: {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      [ORCHESTRATOR.keyId]: aws.accessKeyId,
      [ORCHESTRATOR.key]: aws.secretAccessKey,
    },
    logFile,
    ready: async () => (await readFile(logFile, 'utf8')).includes('The worker is ready.'),
  });
}
