import { describeReport } from '../../../../cli/local/report';

const REPORT = {
  integration: 'db',
  deployment: 'deployed',
  dryRun: false,
  examined: 2,
  live: 0,
  waiting: 0,
  removed: 0,
  removals: [],
  failed: 1,
  failures: [{ entity: 'leasehold-one', failure: 'Refused: \u001b]0;all well\u0007' }],
  foreign: {},
  unmarked: 1,
  unmarkedNames: ['leasehold-\u001b[2J\ndb: 0 failed.'],
};

test('a name or a sentence of the provider steers no terminal and makes no line of its own', () => {
  expect(describeReport(REPORT)).toEqual([
    'db: 2 entities looked at, 0 of live leases, 0 not due yet, 0 removed, 1 failed.',
    '  failed leasehold-one: Refused: \\u{1b}]0;all well\\u{7}',
    '  not touched: 1 name that is not fully ours: leasehold-\\u{1b}[2J\\ndb: 0 failed.',
  ]);
});
