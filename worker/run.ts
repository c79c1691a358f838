import { hostname } from 'node:os';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { integrationTypes } from '../activities/integrations/registry';
import { AuditError, openAuditWriter } from '../audit/writer';
import { auditFile, configPath, logLevel, metricsAddress, workerVersion } from '../config/environment';
import { ConfigError, loadConfig } from '../config/load';
import type { Config } from '../config/load';
import { startReload } from '../config/reload';
import { askedToStop } from '../packaging/asked-to-stop';
import { manifest } from '../packaging/package';
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
import { createSdkMetrics } from './sdk-metrics';
import type { SdkMetrics } from './sdk-metrics';
import { createWorker, UnknownShare } from './worker';
import type { LeaseWorker, Share } from './worker';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

/** Works until it is asked to end, and ends the process. */
export async function runWorker(flags: WorkerFlags): Promise<never> {
  let logger = createLogger('info');
  try {
    logger = createLogger(logLevel());
    endWhenUncaught(logger, 'The worker has failed at something that nobody waited for.');
    await serve(flags, logger);
  } catch (error) {
    logger.fatal({ error }, 'The worker has stopped.');
    process.exit(exitCodeOf(error));
  }
  // Not by itself: an attempt that was left behind may still wait for something, and the SDK's runtime keeps a process alive.
  process.exit(0);
}

async function serve(flags: WorkerFlags, logger: Logger): Promise<void> {
  const asked = askedToStop();
  const file = flags.config ?? configPath();
  const share = shareOf(flags);
  const version = workerVersion();
  const initial = await loadConfig(file, integrationTypes);
  const address = metricsAddress();
  const metrics = createMetrics({ part: 'worker', version: manifest().version });
  const audit = openAuditWriter({
    file: auditFile(),
    failed: () => {
      metrics.auditFailed();
    },
  });
  const server = address === null ? null : await startMetricsServer(address, metrics);
  try {
    const sdkMetrics = await installRuntime(logger, server !== null);
    if (sdkMetrics !== null) metrics.alsoTell(() => sdkMetrics.read());
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
        sdkMetrics,
        logger,
      });
    const worker = await Promise.race([create(initial), asked.then(() => null)]);
    if (worker === null) {
      logger.info('The worker was asked to stop before it was ready, and has taken up nothing.');
      return;
    }
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
    void asked.then(() => {
      logger.info('The worker stops: what it is doing may end, and it takes up nothing new.');
      generations.stop();
    });
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
    await generations.run();
    // Not waited for: a worker by another configuration that is being made has taken up nothing.
    void reload.stop();
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

/** Between the look for a free port and its use another program may take it. */
const INSTALL_ATTEMPTS = 3;

/**
 * Sends the SDK's logs through ours, and leaves it to us to end the workers: it knows none that is still being made.
 * @param isMeasured whether somebody reads the SDK's metrics; answers where they are.
 */
async function installRuntime(logger: Logger, isMeasured: boolean): Promise<SdkMetrics | null> {
  for (let attempt = 1; ; attempt += 1) {
    const sdkMetrics = isMeasured ? await createSdkMetrics() : null;
    try {
      Runtime.install({
        logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
          logger[LEVELS[level]]({ ...meta }, message);
        }),
        telemetryOptions: {
          logging: { forward: {} },
          ...(sdkMetrics === null ? {} : { metrics: sdkMetrics.exporter }),
        },
        shutdownSignals: [],
      });
      return sdkMetrics;
    } catch (error) {
      if (sdkMetrics === null || attempt === INSTALL_ATTEMPTS) throw error;
    }
  }
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
