import { once } from 'node:events';
import { join, relative } from 'node:path';
import { configPath } from '../config/environment';
import { isCheckout } from '../packaging/package';
import { startApi } from './api-process';
import type { RunningApi } from './api-process';
import { DEVELOPMENT, LEASABLE, writeDevelopmentConfig } from './development';
import { projectRoot, stackDirectory } from './root';
import { runProgram } from './run';
import { describeStack, StackRunning, startStack } from './stack';
import type { Stack } from './stack';
import { say } from './story';
import { findOrInstallTools } from './tools';
import { startWorker } from './worker-process';

/**
 * Starts the development stack with a worker and the HTTP API, says how to reach them, and runs them until somebody asks to end.
 * Answers the exit code.
 * @param stateDirectory keeps leases and ports, and what is installed. Default: of the project or of the user.
 */
export function start(stateDirectory = stackDirectory()): Promise<number> {
  return runProgram(async (signal) => {
    try {
      const tools = await findOrInstallTools(say, stateDirectory);
      const stack = await startStack({ stateDirectory, say, tools });
      try {
        return await serve(stack, stateDirectory, signal);
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
}

/** Runs a worker and the HTTP API on the stack until somebody asks to end, or a part of it ends by itself. */
async function serve(stack: Stack, directory: string, signal: AbortSignal): Promise<number> {
  const { temporal, aws, postgres, logDirectory } = stack;
  const own = await writeDevelopmentConfig(directory, stack);
  const configFile = configPath(own.file);
  const worker = await startWorker({ ...stack, configFile });
  let api: RunningApi | undefined;
  try {
    api = await startApi({ temporal, configFile, logDirectory });
    say(`HTTP API          ${api.url}`);
    say(advice({ stack, directory, configFile, token: configFile === own.file ? own.token : null, url: api.url }));
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

interface Ready {
  readonly stack: Stack;
  /** Where leases are kept. */
  readonly directory: string;
  readonly configFile: string;
  /** Of the configuration written here; null: the configuration is the developer's own. */
  readonly token: string | null;
  readonly url: string;
}

/** What to do with it. */
function advice({ stack: { temporal, postgres, logDirectory }, directory, configFile, token, url }: Ready): string {
  const { project, config } = DEVELOPMENT;
  const leasehold = isCheckout() ? `node ${relative('', join(projectRoot(), 'dist', 'cli', 'main.js'))}` : 'leasehold';
  const programs = isCheckout() ? ['node examples/list-buckets.mjs', 'node examples/query-database.mjs'] : ['env'];
  const overHttp =
    token === null
      ? [`Over HTTP:         with a token of your configuration, made by: ${leasehold} token create`]
      : [
          'Over HTTP (this token is shown only now; each start makes another one):',
          `  export LEASEHOLD_HOST=${url}`,
          `  export LEASEHOLD_TOKEN=${token}`,
          ...programs.map((program) => `  ${leasehold} run -- ${program}`),
          'and with the Doppler CLI:',
          '  export DOPPLER_API_HOST=$LEASEHOLD_HOST DOPPLER_TOKEN=$LEASEHOLD_TOKEN',
          ...programs.map((program) => `  doppler run --no-fallback -- ${program}`),
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
    `Leases are kept in ${directory} and go on at the next start. ${forgetful(postgres)} when this stops.`,
    'Set LEASEHOLD_CONFIG to lease by a configuration of your own. Ctrl-C ends it all.',
  ].join('\n');
}

function forgetful({ embedded }: Stack['postgres']): string {
  return embedded
    ? 'PostgreSQL and the emulators forget everything'
    : 'The emulators forget everything, and your PostgreSQL is rid of all that was made in it,';
}
