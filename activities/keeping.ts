import type { Client } from '@temporalio/client';
import type { AuditWriter } from '../audit/writer';
import { findDynamicSecret } from '../config/load';
import type { Config, WebhookSettings } from '../config/load';
import { resolveReference } from '../config/reference';
import type { Logger } from '../telemetry/logger';
import type { Metrics } from '../telemetry/metrics';
import { sendNotice } from '../telemetry/webhook';
import type { Webhook } from '../telemetry/webhook';
import type { KeepingActivities, NotifyInput, RecordInput } from '../workflows/contract';
import type { BulkActivities } from './bulk/bulk';
import { plainly, toPlainFailure } from './failures';
import { surveyRemovals } from './incidents/removals';
import type { Reporter } from './incidents/reporter';

export interface KeepingDeps {
  readonly config: Config;
  readonly client: Client;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  readonly reporter: Reporter;
  readonly logger: Logger;
}

/** What leases and incidents have written down and sent. Served by the workflow queue; needs no integration's credential. */
export function createKeeping(deps: KeepingDeps): Omit<KeepingActivities, keyof BulkActivities> {
  const { config, client, metrics, reporter } = deps;
  return {
    record: async (input) => {
      await plainly(() => deps.audit.write(input));
      count(metrics, { ...input, integration: input.integration ?? integrationOf(config, input) });
    },
    reportStuck: async ({ integration }) => {
      await plainly(() => reporter.reportStuck(integration));
      if (config.integrations[integration] !== undefined) return null;
      return `Integration ${integration} is not in the configuration any more, so that nobody can remove its credentials. Put the entry back: this lease then ends by itself.`;
    },
    survey: ({ integration }) => plainly(() => surveyRemovals(client, integration)),
    webhooks: () => Promise.resolve(config.alerts.webhooks.map(({ name }) => name)),
    notify: (input) => notify(deps, input),
  };
}

async function notify(
  { config, metrics, logger }: KeepingDeps,
  { webhook: name, ...notice }: NotifyInput,
): Promise<void> {
  const settings = config.alerts.webhooks.find((webhook) => webhook.name === name);
  if (settings === undefined) {
    logger.warn(
      { webhook: name, notice: notice.id },
      'This notice is not sent: its webhook has left the configuration.',
    );
    return;
  }
  try {
    await sendNotice(resolveWebhook(settings), notice);
  } catch (error) {
    metrics.alertFailed(name);
    throw toPlainFailure(error);
  }
}

/** @throws UnresolvedReference if its URL or its secret is not there. */
export function resolveWebhook({ name, url, format, secret }: WebhookSettings): Webhook {
  return {
    name,
    url: 'literal' in url ? url.literal : resolveReference(url.reference),
    format,
    secret: secret === null ? null : resolveReference(secret),
  };
}

/** A request that is denied has no plan that would name it. */
function integrationOf(config: Config, { project, config: name, dynamicSecret }: RecordInput): string | null {
  const found = findDynamicSecret(config, project ?? '', name ?? '', dynamicSecret ?? '');
  return found.ok ? found.dynamicSecret.integration : null;
}

function count(metrics: Metrics, { event, integration, details }: RecordInput): void {
  const { type, lagMs } = details;
  switch (event) {
    case 'issued':
      if (integration !== null) metrics.issued(integration);
      return;
    case 'stuck':
      if (integration !== null) metrics.stuck(integration);
      return;
    case 'denied':
    case 'failed':
      metrics.refused(integration, typeof type === 'string' ? type : 'unknown');
      return;
    case 'expired':
    case 'revoked':
    case 'abandoned':
      if (integration !== null) metrics.ended(integration, event, typeof lagMs === 'number' ? lagMs : null);
      return;
    case 'extended':
    case 'incident_opened':
    case 'incident_closed':
      return;
  }
}
