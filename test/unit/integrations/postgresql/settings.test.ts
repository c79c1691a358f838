import { postgresql } from '../../../../activities/integrations/postgresql/postgresql';

const SERVER = { host: 'db.example.org', user: 'leasehold', password: 'env:PASSWORD' };

const problems = (schema: 'connection' | 'parameters', value: object): string[] =>
  postgresql[schema].safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

test('a server, a user and a password are enough', () => {
  expect(postgresql.connection.parse(SERVER)).toMatchObject({
    port: 5432,
    database: 'postgres',
    tls: { mode: 'verify-full' },
    name_prefix: 'leasehold',
    pool_size: 5,
  });
});

test.each(['db', '10.0.0.1', '::1', 'fe80::1%eth0', '2001:db8::5', 'a.b-c.example'])('%s is a host', (host) => {
  expect(problems('connection', { ...SERVER, host })).toEqual([]);
});

test.each([
  [{ host: 'db:5432' }, 'host'],
  [{ host: '[::1]' }, 'host'],
  [{ host: 'postgresql://db' }, 'host'],
  [{ host: '' }, 'host'],
  [{ port: 0 }, 'port'],
  [{ password: 'hunter2' }, 'password'],
  [{ name_prefix: 'Lease' }, 'name_prefix'],
  [{ name_prefix: 'pg_lease' }, 'name_prefix'],
  [{ name_prefix: 'a'.repeat(30) }, 'name_prefix'],
  [{ name_prefix: 'a*/b' }, 'name_prefix'],
  [{ user: 'a\0b' }, 'user'],
  [{ database: 'ä'.repeat(32) }, 'database'],
  [{ pool_size: 0 }, 'pool_size'],
  [{ tls: { mode: 'prefer' } }, 'tls.mode'],
  [{ tls: { mode: 'require', ca_file: '/ca.pem' } }, 'tls.ca_file'],
  [{ tls: { certificate_file: '/c.pem' } }, 'tls.key'],
  [{ tls: { key: 'file:/k.pem' } }, 'tls.certificate_file'],
  [{ tls: { mode: 'verify-ca', server_name: 'db' } }, 'tls.server_name'],
  [{ tls: { mode: 'disable', certificate_file: '/c.pem', key: 'file:/k.pem' } }, 'tls.certificate_file'],
])('the settings %j are refused at %s', (settings, path) => {
  const found = problems('connection', { ...SERVER, ...settings });
  expect(found).not.toEqual([]);
  for (const problem of found) expect(problem).toMatch(new RegExp(`^${path}: (must|is missing|has no effect|Invalid)`));
});

test('a longest name still fits into what PostgreSQL keeps of it', () => {
  const connection = postgresql.connection.parse({ ...SERVER, name_prefix: 'a'.repeat(29) });
  const parameters = postgresql.parameters.parse({ roles: ['r'], owned: 'drop' });
  const context = {
    leaseId: 'a'.repeat(24),
    deployment: 'b'.repeat(8),
    integration: 'db',
    ttlMs: 60_000,
    issueTimeoutMs: 60_000,
  };
  expect(Buffer.byteLength(postgresql.plan(context, connection, parameters).entity)).toBe(63);
});

test.each([
  [{ owned: 'drop' }, 'must grant something'],
  [{ roles: ['r'] }, 'owner: is missing'],
  [{ roles: ['r'], owned: 'drop', owner: 'o' }, 'owner: has no effect'],
  [{ roles: ['r', 'r'], owned: 'drop' }, 'roles: must not name one role twice'],
  [{ roles: [''], owned: 'drop' }, 'roles.0: must not be empty'],
  [{ roles: ['r'], owned: 'drop', connection_limit: 0 }, 'connection_limit: must be at least 1'],
  [{ roles: ['r'], owned: 'drop', database: 'a\nb' }, 'database: must hold no control characters'],
])('the parameters %j are refused', (parameters, problem) => {
  expect(problems('parameters', parameters).join('\n')).toContain(problem);
});

test('what removal needs of the parameters is in the handle', () => {
  const connection = postgresql.connection.parse(SERVER);
  const handleFor = (parameters: object) =>
    postgresql.plan(
      { leaseId: 'l', deployment: 'd', integration: 'db', ttlMs: 60_000, issueTimeoutMs: 60_000 },
      connection,
      postgresql.parameters.parse(parameters),
    ).handle;
  expect(handleFor({ roles: ['r'], owned: 'drop' })).toMatchObject({ owned: 'drop', owner: null });
  expect(handleFor({ roles: ['r'], owner: 'o' })).toMatchObject({ owned: 'reassign', owner: 'o' });
  expect(handleFor({ set_role: 'o' })).toMatchObject({ owned: 'reassign', owner: 'o' });
});
