import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { integrationTypes } from '../../activities/integrations/registry';
import { configPath } from '../../config/environment';
import { loadConfig } from '../../config/load';
import { connect } from '../../temporal/connection';
import { deploymentId } from '../../temporal/deployment';
import type { SweepFlags } from '../commands/sweep';
import { EXIT, tellError, UsageError } from '../exit';
import { chooseIntegrations } from './integrations';
import { listenForInterrupt } from '../interrupt';
import { tell } from '../output/tell';
import { describeReport } from './report';
import { runSweep } from './sweep-run';
import { needingTemporal } from './unavailable';

/** See `sweepCommand`. */
export function sweep(flags: SweepFlags): Promise<number> {
  return needingTemporal(() => sweepAll(flags));
}

async function sweepAll(flags: SweepFlags): Promise<number> {
  const deployment = readDeployment(flags.deployment);
  const config = await loadConfig(flags.config ?? configPath(), integrationTypes);
  const names = chooseIntegrations(config, flags.integrations);
  if (names.length === 0) {
    tell('The configuration has no integration: there is nothing to sweep.');
    return EXIT.done;
  }
  const dryRun = flags.dryRun === true;
  const mustConfirm = deployment !== null && !dryRun && flags.yes !== true;
  if (mustConfirm) requireTerminal();
  const { connection, namespace } = await connect();
  try {
    if (deployment !== null) await refuseOwn(connection, namespace, deployment);
    if (mustConfirm) await confirm(deployment);
    const client = new Client({ connection, namespace });
    const interrupt = listenForInterrupt();
    const codes = names.map(async (integration) => {
      try {
        const report = await runSweep(client, { integration, dryRun, deployment }, { signal: interrupt.signal, tell });
        const lines = flags.json === true ? [JSON.stringify(report)] : describeReport(report);
        process.stdout.write(`${lines.join('\n')}\n`);
        return report.failed > 0 ? EXIT.problems : EXIT.done;
      } catch (error) {
        // The others go on: one provider's outage is no reason not to look through the rest.
        return tellError(error);
      }
    });
    const code = Math.max(EXIT.done, ...(await Promise.all(codes)));
    interrupt.close();
    return interrupt.signal.aborted ? EXIT.interrupted : code;
  } finally {
    await connection.close();
  }
}

function readDeployment(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (/^[a-z2-7]{8}$/.test(text)) return text;
  throw new UsageError('--deployment must be the 8 characters (a-z, 2-7) that stand in the names of the entities.');
}

function requireTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new UsageError('--deployment removes what another installation made: add --yes if that installation is gone.');
}

async function refuseOwn(connection: Connection, namespace: string, deployment: string): Promise<void> {
  if ((await deploymentId(connection, namespace)) !== deployment) return;
  throw new UsageError(`${deployment} is this installation itself: sweep without --deployment.`);
}

/** What is removed may belong to an installation that is alive after all. */
async function confirm(deployment: string): Promise<void> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const question = `This removes what installation ${deployment} made and whose time is past. Type ${deployment} if that installation is gone: `;
  // Ctrl-C and Ctrl-D close it: the question is then answered with an error, or never.
  const closed = once(reader, 'close').then(() => '\n');
  const answer = await Promise.race([reader.question(question).catch(() => closed), closed]);
  reader.close();
  if (answer === '\n') process.stderr.write(answer);
  if (answer.trim() !== deployment) throw new UsageError('Not confirmed: nothing was removed.');
}
