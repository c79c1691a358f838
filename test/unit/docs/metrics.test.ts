import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toldMetrics } from '../../support/told-metrics';
import type { ToldMetrics } from '../../support/told-metrics';

/** Those of the process itself, which the client for Prometheus names, left out. */
async function ownMetrics(): Promise<ToldMetrics> {
  return new Map([...(await toldMetrics())].filter(([name]) => !/^leasehold_(process|nodejs)_/.test(name)));
}

test('the table of metrics names all that are told, with their labels, and no other', async () => {
  const page = await readFile(join(__dirname, '../../../docs/operations.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `((?:leasehold|temporal)_[a-z_]+)` +\| ([^|]*)\|/gm)];
  const documented = rows.map(([, name, labels]) => [name, [...labels!.matchAll(/[a-z_]+/g)].map(([label]) => label)]);
  expect(documented.toSorted()).toEqual([...(await ownMetrics())].toSorted());
});

test('no label is of a kind that holds a name of a person, a lease or an entity', async () => {
  const labels = new Set([...(await ownMetrics()).values()].flat());
  expect([...labels].toSorted()).toEqual([
    'failure_reason',
    'integration',
    'method',
    'operation',
    'outcome',
    'part',
    'poller_type',
    'queue',
    'reason',
    'route',
    'state',
    'status',
    'status_code',
    'task_queue',
    'type',
    'verb',
    'version',
    'webhook',
    'worker_type',
  ]);
});
