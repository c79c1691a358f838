import { startService } from './service-process';
import type { ServicePlace, ServiceProcess } from './service-process';

/** A worker as it is run in production: the built program in a process of its own. */
export type WorkerProcess = ServiceProcess;

export function startWorkerProcess(
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
  place?: ServicePlace,
): Promise<WorkerProcess> {
  return startService('worker/main.js', 'The worker is ready.', flags, environment, place);
}
