import { integrationTypes } from '../../../../activities/integrations/registry';
import { explainUnawaited } from '../../../../cli/local/unawaited';
import { parseConfig } from '../../../../config/load';

function explain(timings: string): string | null {
  const text = `{version: 1, integrations: {aws: {type: aws_iam, timings: {${timings}}}}, projects: {}}`;
  return explainUnawaited(parseConfig(text, integrationTypes, 'test.yaml'), 'aws');
}

test('an issue_timeout that nobody waits for over HTTP is told, with what is waited for', () => {
  expect(explain('issue_timeout: 5m')).toMatch(/issue_timeout is 5m, .* is waited for 1m15s: /);
  expect(explain('issue_timeout: 76s')).not.toBeNull();
});

test.each(['', 'issue_timeout: 75s'])('one that is waited for is not: %s', (timings) => {
  expect(explain(timings)).toBeNull();
});
