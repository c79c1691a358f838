import { DefaultLogger, Runtime } from '@temporalio/worker';

let isInstalled = false;

/** Has the SDK say nothing but errors. It takes that once in a process, and before anything of it is used. */
export function installQuietRuntime(): void {
  if (!isInstalled) Runtime.install({ logger: new DefaultLogger('ERROR') });
  isInstalled = true;
}
