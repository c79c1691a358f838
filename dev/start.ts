import { once } from 'node:events';
import { configPath } from '../config/environment';
import { runProgram } from './run';
import { stackDirectory } from './root';
import { describeStack, StackRunning, startStack } from './stack';
import type { Stack } from './stack';
import { say } from './story';
import { DEVELOPMENT, startWorker, writeDevelopmentConfig } from './worker-process';

void runProgram(async (signal) => {
  try {
    const stack = await startStack({ stateDirectory: stackDirectory(), say });
    try {
      return await serve(stack, signal);
    } finally {
      await stack.stop();
    }
  } catch (error) {
    if (!(error instanceof StackRunning)) throw error;
    say(error.message);
    describeStack(error.running).forEach(say);
    return 0;
  }
});

/** Runs a worker on the stack until somebody asks to end, or a part of it ends by itself. */
async function serve(stack: Stack, signal: AbortSignal): Promise<number> {
  const { temporal, aws, logDirectory } = stack;
  const configFile = configPath(await writeDevelopmentConfig(stackDirectory(), aws));
  const worker = await startWorker({ temporal, aws, configFile, logDirectory });
  try {
    const { project, config, dynamicSecret } = DEVELOPMENT;
    say(`
The worker is ready (configuration: ${configFile}, logs: ${logDirectory}).

In your program:   export TEMPORAL_ADDRESS=${temporal.address} TEMPORAL_NAMESPACE=${temporal.namespace}
  const leases = await connectLeases();
  const lease = await leases.issue({ project: '${project}', config: '${config}', dynamicSecret: '${dynamicSecret}', holder: 'me', ttl: '5m' });
Use the key with:  endpoint ${aws.url}, region ${aws.region}

Leases are kept in ${stackDirectory()} and go on at the next start. The AWS emulator forgets everything when this stops.
Set LEASEHOLD_CONFIG to lease by a configuration of your own. Ctrl-C ends it all.`);
    const asked = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
    const ended = await Promise.race([
      asked.then(() => null),
      temporal.ended.then(() => 'Temporal'),
      aws.ended.then(() => 'The AWS emulator'),
      worker.ended.then(() => 'The worker'),
    ]);
    if (ended === null) {
      say('\nStopping ...');
      return 0;
    }
    say(`${ended} has ended by itself; its log is in ${logDirectory}. Stopping the rest.`);
    return 1;
  } finally {
    await worker.stop();
  }
}
