import { hostname } from 'node:os';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { integrationTypes } from '../activities/integrations/registry';
import { AuditError, openAuditWriter } from '../audit/writer';
import { auditFile, configPath, logLevel, metricsAddress, workerVersion } from '../config/environment';
import { ConfigError, loadConfig } from '../config/load';
import type { Config } from '../config/load';
import { startReload } from '../config/reload';
import { createLogger } from '../telemetry/logger';
import type { Logger } from '../telemetry/logger';
import { createMetrics } from '../telemetry/metrics';
import { startMetricsServer } from '../telemetry/metrics-server';
import { endWhenUncaught } from '../telemetry/uncaught';
import { loadConnectionOptions } from '../temporal/connection';
import { workerIdentity } from '../temporal/pollers';
import type { WorkerFlags } from './command';
import { createGenerations } from './generations';
import { refuseToLeave } from './leaving';
import { createWorker, UnknownShare } from './worker';
import type { LeaseWorker, Share } from './worker';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

/** Works until it is asked to end. Answers the exit code, or ends the process itself where that would not end. */
export async function runWorker(flags: WorkerFlags): Promise<number> {
  let logger = createLogger('info');
  try {
    logger = createLogger(logLevel());
    endWhenUncaught(logger, 'The worker has failed at something that nobody waited for.');
    await serve(flags, logger);
    return 0;
  } catch (error) {
    logger.fatal({ error }, 'The worker has stopped.');
    // Not by exitCode: once the SDK's runtime is installed it keeps a process without workers alive, SIGTERM or not.
    process.exit(exitCodeOf(error));
  }
}

async function serve(flags: WorkerFlags, logger: Logger): Promise<void> {
  const file = flags.config ?? configPath();
  const share = shareOf(flags);
  const version = workerVersion();
  const initial = await loadConfig(file, integrationTypes);
  const address = metricsAddress();
  const audit = openAuditWriter({ file: auditFile() });
  const metrics = createMetrics();
  const server = address === null ? null : await startMetricsServer(address, metrics);
  try {
    installRuntime(logger);
    const { connectionOptions, namespace } = loadConnectionOptions();
    const create = (config: Config): Promise<LeaseWorker> =>
      createWorker({
        connection: connectionOptions,
        namespace,
        config,
        share,
        identity: workerIdentity({ pid: process.pid, host: hostname() }, config.hash),
        version,
        audit,
        metrics,
        logger,
      });
    const worker = await create(initial);
    const generations = createGenerations(worker, logger);
    const reload = startReload({
      file,
      types: integrationTypes,
      initial,
      apply: async (next, inForce) => {
        if (next.hash === inForce.hash) return;
        await refuseToLeave(inForce, next);
        await generations.replace(await create(next));
      },
      taken: ({ hash }) => {
        logger.info({ config: hash }, 'The changed configuration is in force.');
      },
      refused: (error) => {
        logger.error({ error }, 'The configuration was not taken over; the one before stays in force.');
      },
    });
    process.on('SIGHUP', () => void reload.now());
    if (version !== null && !share.workflows) {
      logger.warn(
        'This worker runs no workflows, and their version is of no matter to it: it takes work whatever is current.',
      );
    }
    logger.info(
      {
        namespace,
        version: share.workflows ? version : null,
        queues: worker.queues,
        config: initial.hash,
        metrics: server?.url ?? null,
      },
      'The worker is ready.',
    );
    try {
      await generations.run();
    } finally {
      await reload.stop();
    }
  } finally {
    await server?.close();
    await audit.close();
  }
  logger.info('The worker has stopped; what it was doing has ended or will be taken up by another.');
}

function exitCodeOf(error: unknown): number {
  const isUsage = error instanceof ConfigError || error instanceof UnknownShare || error instanceof AuditError;
  return isUsage ? EXIT_USAGE : EXIT_FAILED;
}

function shareOf(flags: WorkerFlags): Share {
  if (flags.integrations !== undefined) return { workflows: false, integrations: flags.integrations };
  return { workflows: true, integrations: flags.workflowsOnly === true ? [] : null };
}

/** Sends the SDK's logs through ours and lets it end the workers on SIGINT and SIGTERM. */
function installRuntime(logger: Logger): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      logger[LEVELS[level]]({ ...meta }, message);
    }),
    telemetryOptions: { logging: { forward: {} } },
  });
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
