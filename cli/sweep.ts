import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Client, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { Command } from 'commander';
import { integrationTypes } from '../activities/integrations/registry';
import { configPath } from '../config/environment';
import { loadConfig } from '../config/load';
import { connect } from '../temporal/connection';
import { SWEEP_WORKFLOW, sweepId, WORKFLOW_QUEUE } from '../workflows/contract';
import type { SweepInput, SweepReport } from '../workflows/contract';
import { EXIT, exitWith, UnavailableError, UsageError } from './exit';
import { chooseIntegrations, readNames } from './integrations';
import { describeReport } from './report';

interface Flags {
  readonly config?: string;
  readonly integrations?: readonly string[];
  readonly dryRun?: boolean;
  readonly deployment?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** A sweep of a large account takes minutes; one that no worker takes up would be waited for without end. */
const TIMEOUT_MS = 15 * 60_000;

/** `leasehold sweep`: has the workers look through their providers now, as their schedules do. */
export function sweepCommand(): Command {
  return new Command('sweep')
    .description('Removes credentials that outlived their lease, now instead of at the next scheduled sweep.')
    .option('--config <file>', 'the configuration file (default: LEASEHOLD_CONFIG, else leasehold.yaml)')
    .option('--integrations <names>', 'only these, comma-separated', readNames)
    .option('--dry-run', 'only say what would be removed')
    .option('--deployment <id>', 'clean up after another installation, which no longer exists')
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'print the reports as JSON lines')
    .action((flags: Flags) => exitWith(() => sweep(flags)));
}

async function sweep(flags: Flags): Promise<number> {
  const deployment = readDeployment(flags.deployment);
  const config = await loadConfig(flags.config ?? configPath(), integrationTypes);
  const names = chooseIntegrations(config, flags.integrations);
  if (deployment !== null && flags.dryRun !== true && flags.yes !== true) await confirm(deployment);
  const { connection, namespace } = await connect();
  try {
    const client = new Client({ connection, namespace });
    let code: number = EXIT.done;
    for (const integration of names) {
      const report = await run(client, { integration, dryRun: flags.dryRun === true, deployment });
      const lines = flags.json === true ? [JSON.stringify(report)] : describeReport(report);
      process.stdout.write(`${lines.join('\n')}\n`);
      if (report.failed > 0) code = EXIT.problems;
    }
    return code;
  } finally {
    await connection.close();
  }
}

async function run(client: Client, input: SweepInput): Promise<SweepReport> {
  const handle = await client.workflow.start(SWEEP_WORKFLOW, {
    workflowId: `${sweepId(input.integration)}/by-hand/${randomUUID()}`,
    taskQueue: WORKFLOW_QUEUE,
    args: [input],
    staticSummary: `asked for by hand${input.dryRun ? ' (dry run)' : ''}`,
    workflowExecutionTimeout: TIMEOUT_MS,
  });
  try {
    return (await handle.result()) as SweepReport;
  } catch (error) {
    throw new UnavailableError(`The sweep of ${input.integration} did not end. ${why(error, input.integration)}`);
  }
}

function why(error: unknown, integration: string): string {
  const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  if (failure instanceof ApplicationFailure) return failure.message;
  return `Is a worker running that serves the workflows and ${integration}?`;
}

function readDeployment(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (/^[a-z2-7]{8}$/.test(text)) return text;
  throw new UsageError('--deployment must be the 8 characters (a-z, 2-7) that stand in the names of the entities.');
}

/** What is removed may belong to an installation that is alive after all. */
async function confirm(deployment: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      '--deployment removes what another installation made: add --yes if that installation is gone.',
    );
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await reader.question(
    `This removes what installation ${deployment} made and whose time is past. Type ${deployment} if that installation is gone: `,
  );
  reader.close();
  if (answer.trim() !== deployment) throw new UsageError('Not confirmed: nothing was removed.');
}
