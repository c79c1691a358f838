import { grantTemplate } from '../../../../activities/integrations/postgresql/grant-template';
import { fillGrant } from '../../../../activities/integrations/postgresql/grants';

const NAMES = { role: 'lease"; DROP', database: '$& data' };

test('names are quoted where the template is filled in', () => {
  expect(fillGrant('GRANT CONNECT ON DATABASE {{database}} TO {{role}}', NAMES)).toBe(
    'GRANT CONNECT ON DATABASE "$& data" TO "lease""; DROP"',
  );
});

test.each([
  'GRANT SELECT ON app.orders TO {{role}}',
  'grant select on all tables in schema app to {{role}}',
  "ALTER ROLE {{role}} SET statement_timeout = '5s'",
  'ALTER ROLE {{role}} IN DATABASE {{database}} SET search_path = app',
])('%s is a template', (template) => {
  expect(grantTemplate.safeParse(template).error).toBeUndefined();
});

test.each([
  'DROP TABLE x',
  'GRANT a TO {{role}}; DROP TABLE x',
  'GRANT a TO {{role}} -- and more',
  'GRANT a TO {{role}} /* and more */',
  'GRANT a TO "{{role}}"',
  "GRANT a TO '{{role}}'",
  'GRANT a TO {{role}}, {{other}}',
  'GRANT a TO b',
  'ALTER ROLE {{role}} SUPERUSER',
  'ALTER ROLE postgres SET x = {{role}}',
  '',
])('%s is none', (template) => {
  expect(grantTemplate.safeParse(template).success).toBe(false);
});
