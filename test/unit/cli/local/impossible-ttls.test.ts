import { integrationTypes } from '../../../../activities/integrations/registry';
import { impossibleTtls } from '../../../../cli/local/impossible-ttls';
import type { ImpossibleTtl } from '../../../../cli/local/impossible-ttls';
import { parseConfig } from '../../../../config/load';

function find(ttls: string, timings = '', type = 'aws_sts'): readonly ImpossibleTtl[] {
  const parameters =
    type === 'aws_sts'
      ? "{ role_arn: 'arn:aws:iam::123456789012:role/reports' }"
      : "{ policy_arns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }";
  const text = `
version: 1
integrations:
  aws: { type: ${type}, timings: { ${timings} } }
projects: { backend: { configs: { prd: { dynamic_secrets: { REPORTS: { integration: aws, ${ttls} parameters: ${parameters} } } } } } }
`;
  return impossibleTtls(parseConfig(text, integrationTypes, 'test.yaml'), integrationTypes, 'aws');
}

test('a default for which AWS makes no session is a problem, and the possible TTLs are told', () => {
  const [found, ...others] = find('default_ttl: 5m,');
  expect(found).toMatchObject({ kind: 'problem' });
  expect(found!.text).toContain('backend/prd/REPORTS, 5m, is always refused: TTLs from 14m to 11h59m are possible.');
  expect(others).toEqual([]);
});

test('a longer issue_timeout makes a long default impossible', () => {
  const ttls = 'min_ttl: 15m, default_ttl: 11h50m, max_ttl: 11h50m,';
  expect(find(ttls)).toEqual([]);
  expect(find(ttls, 'issue_timeout: 30m')).toMatchObject([{ kind: 'problem' }]);
});

test.each(['', 'max_ttl: 11h,', 'min_ttl: 14m,'])('a range of which a part is impossible is noted: %s', (ttls) => {
  expect(find(ttls)).toMatchObject([{ kind: 'note' }]);
});

test('a range that is possible, and any of what can be ended, is no matter', () => {
  expect(find('min_ttl: 14m, max_ttl: 11h59m,')).toEqual([]);
  expect(find('default_ttl: 5m,', '', 'aws_iam')).toEqual([]);
});
