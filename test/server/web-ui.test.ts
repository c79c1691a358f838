import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Connection } from '@temporalio/client';
import { projectRoot } from '../../dev/root';
import { incidentId, SWEEP_WORKFLOW, sweepId, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { SweepInput } from '../../workflows/contract';
import { missingBrowser } from '../support/browser';
import { findLeaks } from '../support/canaries';
import { describeIf } from '../support/describe-if';
import { eventually, openLab, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';
import { openWebUi, takesPictures } from '../support/web-ui';
import type { WebUi } from '../support/web-ui';

// What somebody on call does in Temporal's Web UI, with the mouse: docs/web-ui.md, whose pictures come from here.

const COLUMNS = ['LeaseState', 'LeaseHolder', 'LeaseExpiresAt', 'LeaseDynamicSecret'];

interface View {
  readonly name: string;
  readonly query: string;
}

/** The saved views that the page names. */
async function viewsOfPage(): Promise<readonly View[]> {
  const page = await readFile(join(projectRoot(), 'docs', 'web-ui.md'), 'utf8');
  const [, views = ''] = page.split(/^## /m);
  return [...views.matchAll(/^\| ([\w ]+?) +\| `([^`]+)` +\|/gm)].map(([, name, query]) => ({
    name: name!,
    query: query!,
  }));
}

describeIf(missingBrowser(), "Temporal's Web UI", () => {
  let connection: Connection;
  let lab: Lab;
  let ui: WebUi;
  /** All values that were handed out, of which none may stand anywhere. */
  const canaries = new Map<string, string>();

  beforeAll(async () => {
    const { address, uiUrl } = provided().temporal;
    connection = await Connection.connect({ address });
    const namespace = await createNamespace(connection, takesPictures ? 'leases' : undefined);
    lab = await openLab({
      temporal: { address, namespace },
      sweep: { grace: '0s' },
      timings: { consistency_window: '1s', stuck_after: '1s' },
    });
    await lab.startWorker();
    ui = await openWebUi(uiUrl, namespace);
  }, 60_000);

  afterEach(() => {
    lab.proxy.clearFaults();
  });

  afterAll(async () => {
    await ui.close();
    await lab.close();
    await connection.close();
  });

  async function issue(holder = 'deploy', ttl = '30m'): Promise<Awaited<ReturnType<typeof lab.leases.issue>>> {
    const lease = await lab.leases.issue({ ...REQUEST, holder, ttl });
    canaries.set(`the secret key of ${lease.leaseId}`, lease.credential['SECRET_ACCESS_KEY']!);
    return lease;
  }

  /** From the list of a view. */
  async function open(query: string, leaseId: string): Promise<void> {
    await firstOf(`${query} AND WorkflowId="${leaseId}"`);
    await ui.list(query);
    await ui.row(leaseId).getByRole('link', { name: leaseId }).click();
    await ui.openTab('User Metadata');
  }

  /** From now on no removal succeeds, and each waits for minutes before it is tried again. */
  function refuseRemovals(): void {
    lab.proxy.fault({ operation: 'DeleteUser', kind: 'throttle', retryAfterSeconds: 240, times: 1_000 });
  }

  /** The workflow that a query finds, once it does: the index lags by a moment. */
  async function firstOf(query: string): Promise<string> {
    let id = '';
    await eventually(async () => {
      for await (const { workflowId } of lab.client.workflow.list({ query })) id = workflowId;
      return id !== '';
    }, `the index to know of ${query}`);
    return id;
  }

  /** Removes what outlived its lease. */
  async function sweep(): Promise<void> {
    const input: SweepInput = { integration: 'aws', deployment: null, dryRun: false };
    const workflowId = `${sweepId('aws')}/by-hand`;
    await lab.client.workflow.execute(SWEEP_WORKFLOW, { workflowId, taskQueue: WORKFLOW_QUEUE, args: [input] });
  }

  test('an operator finds a lease by its holder, reads what it is, revokes it in the dialog and sees it end', async () => {
    const lease = await issue();
    // That the picture has something to show.
    const others = await Promise.all(
      (takesPictures ? ['deploy', 'deploy', 'batch'] : ['batch']).map((holder) => issue(holder)),
    );
    const [user] = await lab.aws.usersLike(lease.leaseId);
    const query = 'LeaseState="active" AND LeaseHolder="library:deploy"';
    await firstOf(`${query} AND WorkflowId="${lease.leaseId}"`);
    await ui.list(query, 'Live of deploy');
    await ui.page.getByRole('button', { name: 'Live of deploy' }).waitFor();
    await ui.arrangeColumns(COLUMNS, ['Run ID', 'Type', 'Start', 'End']);
    const row = await ui.row(lease.leaseId).innerText();
    for (const value of ['active', 'S3_READER', 'library:deploy']) expect(row).toContain(value);
    await ui.picture('web-ui-list');

    await ui.row(lease.leaseId).getByRole('link', { name: lease.leaseId }).click();
    await ui.openTab('User Metadata');
    const { rows, advice } = await ui.untilDetail('State', 'active');
    expect(Object.fromEntries(rows)).toMatchObject({
      Lease: lease.leaseId,
      Holder: 'library:deploy',
      'Dynamic secret': 'backend / prd / S3_READER',
      Entity: `${user!} (integration aws)`,
      Ends: lease.expiresAt.toISOString(),
    });
    expect(advice).toContain('send the signal revoke');
    await ui.picture('web-ui-lease', 'page');

    await ui.fillSignal('revoke', JSON.stringify({ by: 'ada', reason: 'key seen in a log' }, null, 2));
    await ui.picture('web-ui-revoke', 'dialog');
    await ui.submit();
    const ended = await ui.untilDetail('State', 'revoked');
    expect(ended.rows.get('End asked for by')).toBe('ada');
    expect(ended.rows.get('Reason')).toBe('key seen in a log');
    expect(ended.advice).toContain('nothing of it is left at the provider');
    await ui.page.reload();
    await ui.page.getByText('Completed').filter({ visible: true }).first().waitFor();
    await ui.untilDetail('State', 'revoked');
    await ui.picture('web-ui-ended', 'page');
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
    expect(await lab.aws.identity(lease.credential)).toBe('InvalidClientTokenId');
    expect(await lab.outcome(lease.leaseId)).toMatchObject({
      state: 'revoked',
      endedBy: 'ada',
      reason: 'key seen in a log',
    });
    const audited = lab
      .logs()
      .split('\n')
      .filter((line) => line.includes('"revoked"') && line.includes(lease.leaseId));
    expect(audited).toEqual([expect.stringMatching(/"by":"ada".*"reason":"key seen in a log"/)]);
    await Promise.all(others.map((other) => other.revoke({ wait: true })));
  }, 60_000);

  test('a cancel in the dialog ends a lease and is recorded as what it was', async () => {
    const lease = await issue();
    await open('LeaseState="active" AND LeaseHolder="library:deploy"', lease.leaseId);
    await ui.requestCancellation();
    const { rows } = await ui.untilDetail('State', 'revoked');
    expect(rows.get('Reason')).toBe('cancelled in Temporal');
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
    // The state is in the index a moment before the workflow is over.
    expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked' });
    expect((await lab.handle(lease.leaseId).describe()).status.name).toBe('COMPLETED');
  }, 60_000);

  test('a revoke with a sentence for its input revokes; one that is no JSON the dialog does not send', async () => {
    const lease = await issue();
    await open(`WorkflowId="${lease.leaseId}"`, lease.leaseId);
    await ui.fillSignal('revoke', 'laptop lost');
    await ui.dialog.getByText('Input must be valid JSON').waitFor();
    await ui.dialog.getByRole('button', { name: 'Submit' }).click();
    await ui.dialog.getByText('An unknown error occurred').waitFor();
    expect((await lab.view(lease.leaseId)).state).toBe('active');
    await ui.page.keyboard.press('Escape');
    await ui.fillSignal('revoke', '"laptop lost"');
    await ui.submit();
    const { rows } = await ui.untilDetail('State', 'revoked');
    expect(rows.get('Reason')).toBe('laptop lost');
    expect(rows.get('End asked for by')).toBe('unknown');
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  }, 60_000);

  test('a stuck lease is found, says what is wrong, and ends by a nudge once the provider is back', async () => {
    const lease = await issue();
    refuseRemovals();
    await lease.revoke({ reason: 'done early' });
    await lab.until(lease.leaseId, 'stuck');
    await open('LeaseState="stuck"', lease.leaseId);
    const { advice } = await ui.untilDetail('State', 'stuck');
    expect(advice).toContain('nudge');
    await ui.openTab('Pending Activities');
    await ui.page.getByText('was throttled (code Throttling, HTTP 400)').first().waitFor();
    // The incident would try it too.
    await lab.handle(incidentId('aws')).terminate();
    await ui.fillSignal('nudge');
    lab.proxy.clearFaults();
    await ui.submit();
    await ui.openTab('User Metadata');
    await ui.untilDetail('State', 'revoked');
    expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
    expect(await lab.outcome(lease.leaseId)).toMatchObject({ state: 'revoked', reason: 'done early' });
  }, 60_000);

  test('every view of the page finds what it is named for, and nothing else', async () => {
    const live = await issue('audit');
    refuseRemovals();
    const late = await issue('audit', '1s');
    const gone = await issue('audit');
    await lab.handle(gone.leaseId).terminate('by mistake');
    await lab.until(late.leaseId, 'stuck');
    await expect(lab.leases.issue({ ...REQUEST, holder: 'audit', ttl: '30d' })).rejects.toMatchObject({
      code: 'InvalidTtl',
    });
    const failed = await firstOf('LeaseState="failed" AND LeaseHolder="library:audit"');
    const named = new Map([
      [live.leaseId, 'live'],
      [late.leaseId, 'late'],
      [gone.leaseId, 'gone'],
      [failed, 'failed'],
      [incidentId('aws'), 'incident'],
      [`${sweepId('aws')}/by-hand`, 'sweep'],
    ]);
    await sweep();
    const anHourAhead = new Date(Date.now() + 3_600_000).toISOString();
    const found = async ({ name, query }: View): Promise<[string, readonly string[]]> => {
      const at = name === 'Ending soon' ? anHourAhead : new Date().toISOString();
      const ids = new Set<string>();
      const filled = query.replace(/"20\d\d-[^"]*"/, `"${at}"`);
      for await (const { workflowId } of lab.client.workflow.list({ query: filled })) ids.add(workflowId);
      return [name, [...named].filter(([id]) => ids.has(id)).map(([, what]) => what)];
    };
    const views = await viewsOfPage();
    const expected = {
      Live: ['live', 'late'],
      'Ending soon': ['live'],
      Late: ['late'],
      'On their way out': ['late'],
      Stuck: ['late'],
      'One holder': ['live', 'late'],
      'One integration': ['live', 'late'],
      'Failed lately': ['failed'],
      Abandoned: [],
      Terminated: ['gone'],
      Incidents: ['incident'],
      Sweeps: ['sweep'],
    };
    const all = async (): Promise<unknown> => Object.fromEntries(await Promise.all(views.map(found)));
    await eventually(async () => isDeepStrictEqual(await all(), expected), 'the index to know of all').catch(
      () => undefined,
    );
    expect(await all()).toEqual(expected);

    await lab.handle(late.leaseId).signal('abandon', { by: 'ada', reason: 'the account is closed' });
    await lab.outcome(late.leaseId);
    const abandoned = views.find(({ name }) => name === 'Abandoned')!;
    await eventually(async () => (await found(abandoned))[1].includes('late'), 'the abandoned lease to be found');
    lab.proxy.clearFaults();
    await sweep();
    for (const { leaseId } of [late, gone]) expect(await lab.aws.usersLike(leaseId)).toEqual([]);
    await live.revoke({ wait: true });
  }, 60_000);

  test('no page, and nothing that the server sent for one, holds a credential', async () => {
    const lease = await issue();
    await lease.revoke({ wait: true });
    await open(`WorkflowId="${lease.leaseId}"`, lease.leaseId);
    for (const tab of [
      'Timeline',
      'History',
      'Relationships',
      'Workers',
      'Pending Activities',
      'Call Stack',
      'Queries',
      'Search Attributes',
      'Memo',
    ]) {
      await ui.openTab(tab);
      await ui.untilLoaded();
    }
    const seen = ui.seen();
    // What would be found if it were there: on pages, and in the payloads of what is sent.
    const sent = new Map([...seen].filter(([place]) => place.includes('/history?')));
    expect([...sent.values()].join()).toContain('\n{"project":"backend"');
    expect(findLeaks(new Map([['lease', lease.leaseId]]), seen)).not.toEqual([]);
    expect(findLeaks(canaries, seen)).toEqual([]);
  }, 60_000);
});
