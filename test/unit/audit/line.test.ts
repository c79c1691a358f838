import { auditLine } from '../../../audit/line';
import type { AuditRecord } from '../../../audit/line';

const NOW = new Date('2026-01-02T03:04:05.678Z');

test('a line has all its fields, those that are not known as null', () => {
  expect(
    auditLine({ id: 'a/issued', event: 'issued', leaseId: 'a', holder: 'library:ci', by: undefined }, NOW),
  ).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    id: 'a/issued',
    event: 'issued',
    leaseId: 'a',
    holder: 'library:ci',
    project: null,
    config: null,
    dynamicSecret: null,
    integration: null,
    entity: null,
    by: null,
    reason: null,
    details: {},
  });
});

test('a line is written at the present moment unless told otherwise', () => {
  const before = Date.now();
  const { time } = auditLine({ id: 'a/issued', event: 'issued' });
  expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
});

const texts = [
  'leaseId',
  'holder',
  'project',
  'config',
  'dynamicSecret',
  'integration',
  'entity',
  'by',
  'reason',
] as const;

test.each(texts)('%s can neither break the line nor fill the disk', (field) => {
  const record: AuditRecord = {
    id: 'a/revoked',
    event: 'revoked',
    [field]: `a\n\u001b[31m\u2028\u202e\ud800b${'x'.repeat(2_000)}`,
  };
  const text = auditLine(record)[field] ?? '';
  expect(text).toMatch(/^a {2}\[31m {3}bx+…$/);
  expect(text).toHaveLength(1_000);
});

test('neither can the id, and neither can details, by name or value, which keep their types', () => {
  const details = { 'a\nb': 'c\td', ttl: 90, first: true, none: null, long: 'y'.repeat(1_001) };
  const line = auditLine({ id: 'a\n/swept', event: 'swept', details });
  expect(line.id).toBe('a /swept');
  expect(line.details).toEqual({ 'a b': 'c d', ttl: 90, first: true, none: null, long: `${'y'.repeat(999)}…` });
});

test('letters of every language and emoji stay as they are', () => {
  expect(auditLine({ id: 'a/revoked', event: 'revoked', reason: 'Übergabe 完了 👩‍💻' }).reason).toBe('Übergabe 完了 👩‍💻');
});
