import { once } from 'node:events';
import { configPath } from '../config/environment';
import { startApi } from './api-process';
import type { RunningApi } from './api-process';
import { DEVELOPMENT, LEASABLE, writeDevelopmentConfig } from './development';
import { stackDirectory } from './root';
import { runProgram } from './run';
import { describeStack, StackRunning, startStack } from './stack';
import type { Stack } from './stack';
import { say } from './story';
import { startWorker } from './worker-process';

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

/** Runs a worker and the HTTP API on the stack until somebody asks to end, or a part of it ends by itself. */
async function serve(stack: Stack, signal: AbortSignal): Promise<number> {
  const { temporal, aws, postgres, logDirectory } = stack;
  const own = await writeDevelopmentConfig(stackDirectory(), stack);
  const configFile = configPath(own.file);
  const worker = await startWorker({ ...stack, configFile });
  let api: RunningApi | undefined;
  try {
    api = await startApi({ temporal, configFile, logDirectory });
    say(`HTTP API          ${api.url}`);
    say(advice(stack, configFile, configFile === own.file ? own.token : null, api));
    const asked = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
    const ended = await Promise.race([
      asked.then(() => null),
      temporal.ended.then(() => 'Temporal'),
      aws.ended.then(() => 'The AWS emulator'),
      postgres.ended.then(() => 'PostgreSQL'),
      worker.ended.then(() => 'The worker'),
      api.process.ended.then(() => 'The HTTP API'),
    ]);
    if (ended === null) {
      say('\nStopping ...');
      return 0;
    }
    say(`${ended} has ended by itself; its log is in ${logDirectory}. Stopping the rest.`);
    return 1;
  } finally {
    await api?.process.stop();
    await worker.stop();
  }
}

/** What to do with it. @param token of the configuration written here; null: the configuration is the developer's own. */
function advice(
  { temporal, postgres, logDirectory }: Stack,
  configFile: string,
  token: string | null,
  { url }: RunningApi,
): string {
  const { project, config } = DEVELOPMENT;
  const overHttp =
    token === null
      ? ['Over HTTP:         with a token of your configuration, made by: node dist/cli/main.js token create']
      : [
          'Over HTTP, and with the Doppler CLI (this token is shown only now; each start makes another one):',
          `  export DOPPLER_API_HOST=${url}`,
          `  export DOPPLER_TOKEN=${token}`,
          '  doppler run --no-fallback -- node examples/list-buckets.mjs',
          '  doppler run --no-fallback -- node examples/query-database.mjs',
        ];
  return [
    '',
    `Ready (configuration: ${configFile}, logs: ${logDirectory}).`,
    '',
    ...overHttp,
    '',
    `In your program:   export TEMPORAL_ADDRESS=${temporal.address} TEMPORAL_NAMESPACE=${temporal.namespace}`,
    '  const leases = await connectLeases();',
    `  const lease = await leases.issue({ project: '${project}', config: '${config}', dynamicSecret: '${LEASABLE.postgres}', holder: 'me', ttl: '5m' });`,
    '',
    `What can be leased: ${Object.values(LEASABLE).join(', ')} of ${project}/${config}.`,
    `Leases are kept in ${stackDirectory()} and go on at the next start. ${forgetful(postgres)} when this stops.`,
    'Set LEASEHOLD_CONFIG to lease by a configuration of your own. Ctrl-C ends it all.',
  ].join('\n');
}

function forgetful({ embedded }: Stack['postgres']): string {
  return embedded
    ? 'PostgreSQL and the emulators forget everything'
    : 'The emulators forget everything, and your PostgreSQL is rid of all that was made in it,';
}
