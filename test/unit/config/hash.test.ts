import { load } from '../../support/config-text';

const FILE = `
version: 1
integrations:
  here: { type: toy, connection: { key: env:KEY }, limits: { provisions: 3 } }
  there: { type: bare }
projects: { backend: { configs: { prd: { secrets: { "PLAIN": "one" } } } } }
`;

test('two processes that read the same file agree, however it is laid out and commented', () => {
  const other = `
# Moved here from the old place.
"version": 1
projects:
  backend:
    configs:
      prd:
        secrets:
          PLAIN: one  # a value
integrations:
  there:
    type: bare
  here:
    limits: { provisions: 3 }
    connection: { key: 'env:KEY' }
    type: toy
`;
  expect(load(FILE).hash).toMatch(/^[0-9a-f]{8}$/);
  expect(load(other).hash).toBe(load(FILE).hash);
});

test.each([
  ['a value', 'one', 'two'],
  ['a reference', 'env:KEY', 'env:OTHER'],
  ['a limit', 'provisions: 3', 'provisions: 4'],
  ['a name', 'there:', 'elsewhere:'],
])('another %s is another configuration', (_, was, is) => {
  expect(load(FILE.replace(was, is)).hash).not.toBe(load(FILE).hash);
});

test('the order of a list counts, and an empty text is not nothing', () => {
  const file = (scopes: string) =>
    load(
      `version: 1\naccess: { tokens: { ci: { hash: "sha256:${'0'.repeat(64)}", scopes: ${scopes} } } }\nprojects: { a: { configs: { b: } }, c: { configs: { d: } } }`,
    ).hash;
  expect(file('[a/b, c/d]')).not.toBe(file('[c/d, a/b]'));
  const secret = (text: string) => load(FILE.replace('"one"', text)).hash;
  expect(secret('""')).not.toBe(secret('"null"'));
});
