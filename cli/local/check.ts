import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { createConnections } from '../../activities/connections';
import { IntegrationError } from '../../activities/integrations/integration';
import type { Check } from '../../activities/integrations/integration';
import { integrationTypes } from '../../activities/integrations/registry';
import { resolveWebhook } from '../../activities/keeping';
import { configPath } from '../../config/environment';
import { loadConfig } from '../../config/load';
import type { Config } from '../../config/load';
import { UnresolvedReference } from '../../config/reference';
import { checkWebhook, WebhookError } from '../../telemetry/webhook';
import { connect, TemporalError } from '../../temporal/connection';
import { deploymentId } from '../../temporal/deployment';
import { explainUnserved, surveyWorkforce } from '../../temporal/pollers';
import { checkSearchAttributes, MissingSearchAttributes } from '../../temporal/search-attributes';
import { explainFailure } from '../../temporal/service';
import { findStrays } from '../../worker/strays';
import { formatTtl } from '../../workflows/ttl';
import type { CheckFlags } from '../commands/check';
import { EXIT } from '../exit';
import { printable } from '../output/printable';
import { impossibleTtls } from './impossible-ttls';
import { chooseIntegrations } from './integrations';
import { explainUnawaited } from './unawaited';

/** One thing that was looked at. */
interface Finding {
  readonly subject: string;
  readonly kind: 'ok' | 'note' | 'problem';
  readonly text: string;
}

/** For all calls to one provider, and for those to Temporal. */
const TIMEOUT_MS = 60_000;

/** See `checkCommand`. */
export async function check(flags: CheckFlags): Promise<number> {
  const file = flags.config ?? configPath();
  const config = await loadConfig(file, integrationTypes);
  const names = chooseIntegrations(config, flags.integrations);
  const problems: Finding[] = [];
  const tell = (finding: Finding): void => {
    if (finding.kind === 'problem') problems.push(finding);
    const line = flags.json === true ? JSON.stringify(finding) : printable(describe(finding));
    process.stdout.write(`${line}\n`);
  };
  tell({ subject: 'configuration', kind: 'ok', text: `${file} is valid.` });
  // All at once, for one that does not answer takes its time; told in the order of the configuration.
  const parts = [...names.map((name) => checkIntegration(config, name)), checkTemporal(config, names)];
  for (const name of names) {
    for (const found of impossibleTtls(config, integrationTypes, name))
      tell({ subject: `integration ${name}`, ...found });
    const unawaited = explainUnawaited(config, name);
    if (unawaited !== null) tell({ subject: `integration ${name}`, kind: 'note', text: unawaited });
  }
  for (const part of parts) for (const finding of await part) tell(finding);
  if (flags.integrations === undefined) for (const finding of checkWebhooks(config)) tell(finding);
  return problems.length > 0 ? EXIT.problems : EXIT.done;
}

async function checkIntegration(config: Config, name: string): Promise<readonly Finding[]> {
  const subject = `integration ${name}`;
  const connections = createConnections(config, integrationTypes);
  try {
    return findingsOf(subject, await connections.open(name).check(AbortSignal.timeout(TIMEOUT_MS)));
  } catch (error) {
    return [{ subject, kind: 'problem', text: explainProvider(error) }];
  } finally {
    connections.close();
  }
}

function explainProvider(error: unknown): string {
  if (error instanceof IntegrationError || error instanceof UnresolvedReference) return error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return `it has not answered everything within ${formatTtl(TIMEOUT_MS)}.`;
  }
  return 'it could not be asked, for a reason that may hold a secret and is therefore not repeated here.';
}

function findingsOf(subject: string, found: Check): readonly Finding[] {
  const { identity, missingRights, untriedRights, quota, notes } = found;
  const findings: Finding[] = [
    { subject, kind: 'ok', text: `reachable${identity === null ? '' : ` as ${identity}`}.` },
  ];
  if (missingRights.length > 0) {
    findings.push({ subject, kind: 'problem', text: `rights are missing: ${missingRights.join(', ')}. Grant them.` });
  }
  if (untriedRights.length > 0) {
    findings.push({
      subject,
      kind: 'note',
      text: `cannot be tried without making something: ${untriedRights.join(', ')}.`,
    });
  }
  if (quota !== null) {
    const left = quota.limit - quota.used;
    const text = `${left} of ${quota.limit} left: ${quota.what}.`;
    findings.push({ subject, kind: left > 0 ? 'ok' : 'problem', text });
  }
  return [...findings, ...notes.map((text) => ({ subject, kind: 'note' as const, text }))];
}

async function checkTemporal(config: Config, names: readonly string[]): Promise<readonly Finding[]> {
  const subject = 'Temporal';
  try {
    const { connection, namespace } = await connect();
    try {
      await checkSearchAttributes(connection, namespace);
      const deployment = await deploymentId(connection, namespace);
      const client = new Client({ connection, namespace });
      return [
        { subject, kind: 'ok', text: `namespace ${namespace} is ready; this installation is ${deployment}.` },
        ...(await client.withDeadline(Date.now() + TIMEOUT_MS, async () => [
          await checkRetention(connection, namespace),
          ...(await checkStrays(client, config)),
          ...(await checkWorkers(connection, namespace, config, names)),
        ])),
      ];
    } finally {
      await connection.close();
    }
  } catch (error) {
    return [{ subject, kind: 'problem', text: explainTemporal(error) }];
  }
}

function explainTemporal(error: unknown): string {
  return error instanceof TemporalError || error instanceof MissingSearchAttributes
    ? error.message
    : explainFailure(error);
}

async function checkRetention(connection: Connection, namespace: string): Promise<Finding> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return {
    subject: 'Temporal',
    kind: seconds > 0 ? 'note' : 'problem',
    text:
      seconds > 0
        ? `ended leases and idempotency keys are remembered for ${formatTtl(seconds * 1_000)}, the retention of the namespace.`
        : 'the namespace keeps nothing of ended workflows: idempotency keys are forgotten at once. Set its retention.',
  };
}

async function checkStrays(client: Client, config: Config): Promise<readonly Finding[]> {
  return (await findStrays(client, config)).map(({ integration, why, leases }) => {
    const subject = `integration ${integration}`;
    const many = `${leases} live ${leases === 1 ? 'lease' : 'leases'}`;
    return why === 'retired'
      ? { subject, kind: 'note', text: `is retired and has ${many}: keep the entry until they have ended.` }
      : {
          subject,
          kind: 'problem',
          text: `is not in the configuration and has ${many}, which cannot end: put it back.`,
        };
  });
}

/** Whether somebody takes the work, and works by this configuration. */
async function checkWorkers(
  connection: Connection,
  namespace: string,
  config: Config,
  names: readonly string[],
): Promise<readonly Finding[]> {
  const subject = 'workers';
  const { queues, others } = await surveyWorkforce(connection, namespace, config, names);
  const unserved = queues.filter(({ served }) => !served);
  const bare = unserved.filter(({ routing }) => routing.asking.length === 0).map(({ name }) => name);
  const serving: Finding[] =
    unserved.length === 0
      ? [{ subject, kind: 'ok', text: `every task queue is served; this configuration is ${config.hash}.` }]
      : bare.length === 0
        ? []
        : [{ subject, kind: 'problem', text: `nobody serves ${bare.join(', ')}. Start a worker that does.` }];
  return [
    ...serving,
    ...unserved
      .filter(({ name }) => !bare.includes(name))
      .map((queue): Finding => ({ subject, kind: 'problem', text: explainUnserved(queue, namespace) })),
    ...others.map(({ process, config: hash }): Finding => {
      const text = `${process} runs another configuration, ${hash}, than this one, ${config.hash}.`;
      return { subject, kind: 'note', text };
    }),
  ];
}

/** Whether alerts could be sent from here. Sends none. */
function checkWebhooks(config: Config): readonly Finding[] {
  return config.alerts.webhooks.map((settings): Finding => {
    const subject = `alerts to ${settings.name}`;
    try {
      checkWebhook(resolveWebhook(settings));
      return { subject, kind: 'ok', text: 'what they need is there; none was sent.' };
    } catch (error) {
      if (!(error instanceof UnresolvedReference || error instanceof WebhookError)) throw error;
      return { subject, kind: 'problem', text: error.message };
    }
  });
}

function describe({ subject, kind, text }: Finding): string {
  return `${kind === 'problem' ? 'PROBLEM' : kind.padEnd(7)} ${subject}: ${text}`;
}
