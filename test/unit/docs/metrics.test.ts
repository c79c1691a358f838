import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toldMetrics } from '../../support/told-metrics';

test('the table of metrics names all that are told, with their labels, and no other', async () => {
  const page = await readFile(join(__dirname, '../../../docs/operations.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `((?:leasehold|temporal)_[a-z_]+)` +\| ([^|]*)\|/gm)];
  const documented = rows.map(([, name, labels]) => [name, [...labels!.matchAll(/[a-z_]+/g)].map(([label]) => label)]);
  expect(documented.toSorted()).toEqual([...(await toldMetrics())].toSorted());
});

test('no label is of a kind that holds a name of a person, a lease or an entity', async () => {
  const labels = new Set([...(await toldMetrics()).values()].flat());
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
