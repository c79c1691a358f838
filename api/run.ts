import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { integrationTypes } from '../activities/integrations/registry';
import { AuditError, openAuditWriter } from '../audit/writer';
import { apiAddress, apiLeaveMs, auditFile, configPath, logLevel, metricsAddress } from '../config/environment';
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
import { openConnection } from '../temporal/connection';
import { createApi } from './api';
import type { ApiFlags } from './command';
import { createAuthenticate } from './identity/authenticate';
import { findInstallation } from './installation';
import { expectedOf } from './measured';
import { drain, isLoopback, listen } from './listen';
import { readTls, renewTls } from './tls';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

/** Serves until it is asked to end, and ends the process. */
export async function runApi(flags: ApiFlags): Promise<never> {
  let logger = createLogger('info');
  try {
    logger = createLogger(logLevel());
    endWhenUncaught(logger, 'The API has failed at something that nobody waited for.');
    await serve(flags, logger);
  } catch (error) {
    logger.fatal({ error }, 'The API has stopped.');
    process.exit(error instanceof ConfigError || error instanceof AuditError ? EXIT_USAGE : EXIT_FAILED);
  }
  // Not by itself: a request that was cut off may still wait for something.
  process.exit(0);
}

async function serve(flags: ApiFlags, logger: Logger): Promise<void> {
  const file = flags.config ?? configPath();
  // Of the integrations their schemas alone are used: references in their connections are never resolved here.
  const initial = await loadConfig(file, integrationTypes);
  const address = apiAddress(flags.listen);
  const metricsAt = metricsAddress();
  const leaveMs = apiLeaveMs();
  const tls = readTls(initial.api, file);
  const metrics = createMetrics({ part: 'api', version: manifest().version });
  const audit = openAuditWriter({
    file: auditFile(),
    failed: () => {
      metrics.auditFailed();
    },
  });
  metrics.expect(expectedOf(initial));
  const { connection, namespace } = openConnection();
  const client = new Client({ connection, namespace });
  const asked = askedToStop();
  let isLeaving = false;
  const installation = findInstallation({ connection, client, namespace, logger });
  const config = (): Config => reload.current();
  const app = await createApi(
    {
      config,
      leases: installation.leases,
      client,
      namespace,
      authenticate: createAuthenticate(config, logger),
      audit,
      metrics,
      logger,
      isLeaving: () => isLeaving,
    },
    { tls, settings: () => config().api },
  );
  const reload = startReload({
    file,
    types: integrationTypes,
    initial,
    files: ({ api }) => (api.tls === null ? [] : [api.tls.certificate, api.tls.key]),
    apply: (next) =>
      new Promise((resolve) => {
        const files = readTls(next.api, file);
        if ((files === null) !== (tls === null)) throw new TlsChanged();
        if (files !== null) renewTls(app, files);
        resolve();
      }),
    taken: (next) => {
      metrics.expect(expectedOf(next));
      logger.info({ config: next.hash }, 'The changed configuration is in force.');
    },
    refused: (error) => {
      logger.error({ error }, 'The configuration was not taken over; the one before stays in force.');
    },
  });
  const metricsServer = metricsAt === null ? null : await startMetricsServer(metricsAt, metrics);
  const url = await listen(app, address);
  if (tls === null && !isLoopback(address.host)) {
    logger.warn('Without TLS, tokens and credentials can be read on the network: set api.tls, or let a proxy end TLS.');
  }
  process.on('SIGHUP', () => void reload.now());
  logger.info({ url, namespace, config: initial.hash, metrics: metricsServer?.url ?? null }, 'The API is ready.');

  const signal = await asked;
  isLeaving = true;
  // By SIGINT it is a person at a terminal who asks, and no balancer sends requests there.
  if (signal === 'SIGTERM' && leaveMs > 0) {
    logger.info({ ms: leaveMs }, 'The API is about to stop, says so to balancers, and goes on serving for this time.');
    await sleep(leaveMs);
  }
  logger.info('The API stops: requests under way are answered, and no new ones are taken.');
  const isDrained = await drain(app);
  if (!isDrained) logger.warn('Requests that took too long were cut off.');
  await reload.stop();
  installation.stop();
  await metricsServer?.close();
  await audit.close();
  await connection.close();
  logger.info('The API has stopped.');
}

/** `api.tls` was added or taken away, which the open port cannot follow. */
class TlsChanged extends Error {
  override readonly name = 'TlsChanged';

  constructor() {
    super('api.tls was added or taken away, which needs a restart.');
  }
}
