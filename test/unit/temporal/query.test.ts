import { buildQuery, matches } from '../../../temporal/query';
import type { LeaseSummary } from '../../../temporal/seen-lease';

const lease: LeaseSummary = {
  leaseId: 'a'.repeat(24),
  state: 'active',
  project: 'backend',
  config: 'prd',
  dynamicSecret: 'S3_UPLOADS',
  integration: null,
  holder: 'library:tester',
  entity: null,
  requestedAt: new Date(0),
  expiresAt: null,
  endedAt: null,
};

test('without a filter all leases are asked for, and nothing but leases', () => {
  expect(buildQuery({})).toBe('WorkflowType = "lease"');
});

test('filters are joined', () => {
  expect(buildQuery({ state: 'active', project: 'backend', live: true })).toBe(
    'WorkflowType = "lease" AND LeaseProject = "backend" AND CloseTime IS NULL AND LeaseState = "active" AND CloseTime IS NULL',
  );
});

test('one of several places is enough, and a place that is everywhere asks for nothing', () => {
  expect(buildQuery({}, [{ project: 'backend', config: '*' }])).toBe(
    'WorkflowType = "lease" AND LeaseProject = "backend"',
  );
  const reach = [
    { project: 'backend', config: 'prd' },
    { project: 'frontend', config: '*' },
  ];
  expect(buildQuery({ live: true }, reach)).toBe(
    'WorkflowType = "lease" AND ((LeaseProject = "backend" AND LeaseConfig = "prd") OR (LeaseProject = "frontend")) AND CloseTime IS NULL',
  );
  expect(buildQuery({}, [...reach, { project: '*', config: '*' }])).toBe('WorkflowType = "lease"');
});

test('one of several states is enough', () => {
  expect(buildQuery({ state: ['stuck', 'deprovisioning'] })).toBe(
    'WorkflowType = "lease" AND ((LeaseState = "stuck" AND CloseTime IS NULL) OR (LeaseState = "deprovisioning" AND CloseTime IS NULL))',
  );
});

test.each(['"', "'", '\\', 'x" OR LeaseState = "active', "x' OR 'a' = 'a", 'x\\" OR 1=1', 'x\n"'])(
  'no character of %j that could end a literal reaches the query',
  (holder) => {
    const literals = buildQuery({ holder }).replace('WorkflowType = "lease" AND ', '');
    expect(literals).toMatch(/^LeaseHolder (STARTS_WITH "x?"|IS NOT NULL)$/);
  },
);

test('what a query finds too much is told apart to the letter', () => {
  expect(matches(lease, {})).toBe(true);
  expect(matches(lease, { holder: 'library:tester', project: 'backend' })).toBe(true);
  expect(matches(lease, { holder: 'library:Tester' })).toBe(false);
  expect(matches(lease, { integration: 'aws' })).toBe(false);
});
