import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allCodes } from '../../../dev/http-codes';
import { describeAll, referenceOf } from '../../../dev/http-reference';
import type { Description } from '../../../dev/http-reference';

let described: Description;
let page: string;

beforeAll(async () => {
  described = await describeAll();
  page = await readFile(join(__dirname, '../../../docs/http-reference.md'), 'utf8');
});

test('docs/http-reference.md says what the API says of itself now (npm run docs writes it)', () => {
  expect(page).toBe(referenceOf(described));
});

test('every route is in it, and each says what it does', () => {
  const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ title: `${method.toUpperCase()} ${path}`, ...operation })),
  );
  expect(routes.length).toBeGreaterThan(40);
  for (const { title, summary } of routes) {
    expect({ title, summary }).toEqual({ title, summary: expect.stringMatching(/^[A-Z].*[^.]$/) });
    expect(page).toContain(title);
  }
});

test('routes of our own, of Doppler’s tools and of the process are told apart', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    'Routes',
    'Leases',
    'Revocations',
    'Blocks',
    'Dynamic secrets',
    'Secrets',
    'Identity',
    'Integrations',
    'Process',
    'For Doppler’s tools',
    'Shapes',
    'Codes',
  ]);
  const doppler = page.slice(page.indexOf('## For Doppler’s tools'), page.indexOf('## Shapes'));
  expect(doppler).toContain('### GET /v3/configs/config/secrets/download');
  expect(doppler).not.toContain('### GET /v1/');
  expect(page.slice(0, page.indexOf('## For Doppler’s tools'))).not.toContain('/v3/');
});

test('whoever reads the page finds every code, and every field of a lease', () => {
  for (const { code, status } of allCodes())
    expect(page).toMatch(new RegExp(`^\\| ${status} +\\| \`${code}\` +\\|`, 'm'));
  for (const field of ['lease_id', 'expires_at', 'credential', 'sealed']) expect(page).toContain(`\`${field}\``);
});

test('a route that has changed since would be seen', () => {
  const { '/v1/leases': leases, ...rest } = described.paths;
  const { post } = leases!;
  const changed = {
    ...described,
    paths: { ...rest, '/v1/leases': { ...leases, post: { ...post!, summary: 'Lease' } } },
  };
  expect(referenceOf(changed)).not.toBe(page);
});
