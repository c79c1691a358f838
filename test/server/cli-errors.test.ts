import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectHttpLeases } from '../../client/http';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { startProgram } from '../support/program';
import type { Ended } from '../support/program';

/** Of no lease. */
const NOBODY = 'aaaaaaaaaaaaaaaaaaaaaaaa';
/** Command lines at the same time. */
const PARALLEL = 3;

interface Bad {
  readonly line: string;
  readonly code: number;
  /** What the first line that is told says. */
  readonly says: RegExp;
  /** Instead of those of a program that may lease in `backend/prd`. */
  readonly environment?: () => Readonly<Record<string, string>>;
}

let lab: ApiLab;
let directory: string;
let ended: string;

beforeAll(async () => {
  lab = await openApiLab({ tokens: { reader: { scopes: ['backend/prd'], rights: ['read'] } } });
  directory = await mkdtemp(join(tmpdir(), 'leasehold-errors-'));
  await writeFile(join(directory, 'there.json'), '{}');
  const leases = connectHttpLeases({ url: lab.url, token: lab.tokens['ci']! });
  const lease = await leases.issue({ project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '10m' });
  await lease.revoke({ wait: true });
  ended = lease.leaseId;
}, 60_000);

afterAll(async () => {
  await lab.close();
  await rm(directory, { recursive: true });
});

/** All of them, in the words of the command line. */
async function tellAll(bad: readonly Bad[]): Promise<readonly Ended[]> {
  const told: Ended[] = [];
  const left = bad.entries();
  const work = async (): Promise<void> => {
    for (const [at, { line, environment }] of left) {
      const args = line.replace('ENDED', ended).split(' ');
      const variables = environment?.() ?? asWhom('ci');
      told[at] = await startProgram('cli/main.js', args, { environment: variables, directory }).ended;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return told;
}

function asWhom(name: string): Record<string, string> {
  return { LEASEHOLD_HOST: lab.url, LEASEHOLD_TOKEN: lab.tokens[name]! };
}

/** Each ends with its code, prints nothing, and says in a line or two what is wrong and what to do. */
async function expectTold(bad: readonly Bad[]): Promise<void> {
  const told = await tellAll(bad);
  const seen = told.map(({ code, stdout, stderr }, at) => ({
    line: bad[at]!.line,
    code,
    stdout,
    says: bad[at]!.says.test(stderr),
    isShort: stderr.trim().split('\n').length <= 2 && !/^\s+at /m.test(stderr),
    ...(bad[at]!.says.test(stderr) ? {} : { stderr }),
  }));
  expect(seen).toEqual(bad.map(({ line, code }) => ({ line, code, stdout: '', says: true, isShort: true })));
  expect(lab.provider.entities.size).toBe(0);
}

test('a command line that cannot be followed is told with the way out, and nothing is done', async () => {
  await expectTold([
    { line: 'frob', code: 2, says: /^error: unknown command 'frob'\nSee: leasehold --help/ },
    {
      line: 'run --no-such -- true',
      code: 2,
      says: /^leasehold: unknown option '--no-such'\nSee: leasehold run --help/,
    },
    { line: 'run', code: 2, says: /^leasehold: missing required argument 'command'\nSee: / },
    { line: 'run --ttl banana -- true', code: 2, says: /^leasehold: --ttl: "banana" is not a duration/ },
    { line: 'run --ttl 365d -- true', code: 2, says: /^leasehold: .*TOKEN.*must be from .* Nothing was leased/ },
    { line: 'run --on-expiry sing -- true', code: 2, says: /Allowed choices are end, restart, signal/ },
    { line: 'run --mount-max-reads 0 -- true', code: 2, says: /Give a whole number from 1 on/ },
    { line: 'run --only-secrets NOPE -- true', code: 2, says: /^leasehold: .*"NOPE"/ },
    { line: 'run -- /no/such/program', code: 127, says: /^leasehold: .*Nothing was leased/ },
    { line: 'run -- ./there.json', code: 126, says: /^leasehold: .*Nothing was leased/ },
    { line: 'lease', code: 2, says: /^error: missing required argument 'dynamic-secret'\nSee: / },
    { line: 'lease TOKEN --ttl 1x', code: 2, says: /^--ttl: "1x" is not a duration/ },
    {
      line: 'lease TOKEN --ttl 365d',
      code: 2,
      says: /^--ttl, for TOKEN: A TTL of 365d is not allowed: it must be from /,
    },
    { line: 'lease TOKEN --json --env', code: 2, says: /cannot be used with option/ },
    { line: 'lease TOKEN --plain NOPE', code: 2, says: /^--plain: TOKEN has no field "NOPE", but / },
    { line: 'lease NOPE', code: 2, says: /^There is no dynamic secret "NOPE" in "backend\/prd"/ },
    { line: 'credential-process TOKEN', code: 2, says: /^TOKEN yields no .*, and nothing was made/ },
    { line: 'leases show nope', code: 2, says: /A lease id has 24 characters/ },
    { line: `leases extend ${NOBODY}`, code: 2, says: /^error: required option '--ttl <duration>'/ },
    { line: 'leases revoke', code: 2, says: /^Name the leases, which leasehold leases list shows, or give --all/ },
    { line: 'leases revoke --all', code: 2, says: /add --yes, or look with --dry-run first/ },
    { line: `leases revoke ${NOBODY} --wait soon`, code: 2, says: /^--wait: "soon" is not a duration/ },
    { line: 'secrets get NOPE', code: 2, says: /^backend\/prd has no secret "NOPE"/ },
    { line: 'secrets get TOKEN', code: 2, says: /use leasehold run or leasehold lease TOKEN/ },
    { line: 'secrets download --format xml', code: 2, says: /Allowed choices are json, env/ },
    { line: 'secrets download --output there.json', code: 2, says: /is already there: --force replaces it/ },
    { line: 'secrets substitute nope.tmpl', code: 2, says: /^The template "nope.tmpl" cannot be read/ },
    { line: 'token create ci', code: 2, says: /^--scope is missing/ },
    { line: 'completion tcsh', code: 2, says: /Allowed choices are bash, zsh, fish/ },
    { line: 'check', code: 2, says: /^leasehold.yaml: The configuration file does not exist/ },
  ]);
}, 60_000);

test('an API that cannot be found or reached, and a token that it does not take, have codes of their own', async () => {
  const host = (url: string) => () => ({ ...asWhom('ci'), LEASEHOLD_HOST: url });
  const alone = (): Record<string, string> => ({ LEASEHOLD_HOST: lab.url });
  const wrong = () => ({ ...alone(), LEASEHOLD_TOKEN: `lht.ci.${'a'.repeat(52)}` });
  await expectTold([
    { line: 'lease TOKEN', code: 2, says: /^LEASEHOLD_HOST is missing: set it/, environment: () => ({}) },
    { line: 'run -- true', code: 2, says: /^leasehold: LEASEHOLD_HOST is missing/, environment: () => ({}) },
    { line: 'leases list', code: 2, says: /^LEASEHOLD_HOST must be the address/, environment: host('ftp://x') },
    { line: 'whoami --host nope', code: 2, says: /^--host must be the address/ },
    { line: 'secrets', code: 5, says: /^LEASEHOLD_TOKEN is missing, .*leasehold login/, environment: alone },
    { line: 'lease TOKEN --token-file nope', code: 5, says: /^--token-file: nope is not there/, environment: alone },
    { line: 'lease TOKEN', code: 5, says: /^LEASEHOLD_TOKEN is not valid at .* leasehold login/, environment: wrong },
    { line: 'run -- true', code: 5, says: /^leasehold: LEASEHOLD_TOKEN is not valid at .*/, environment: wrong },
    { line: 'lease TOKEN', code: 5, says: /right/, environment: () => asWhom('reader') },
    { line: 'blocks list', code: 5, says: /right/ },
    {
      line: 'lease TOKEN',
      code: 3,
      says: /cannot be reached \(ECONNREFUSED\)/,
      environment: host('http://127.0.0.1:2'),
    },
    { line: 'run -- true', code: 3, says: /^leasehold: .*cannot be reached/, environment: host('http://127.0.0.1:2') },
  ]);
}, 60_000);

test('what the API refuses, and what is not there, is code 4', async () => {
  await expectTold([
    { line: `leases show ${NOBODY}`, code: 4, says: /^There is no lease a{24}/ },
    { line: `leases extend ${NOBODY} --ttl 1h`, code: 4, says: /^There is no lease a{24}/ },
    { line: `leases revoke ${NOBODY}`, code: 4, says: /There is no lease a{24}/ },
    { line: 'leases extend ENDED --ttl 1h', code: 4, says: /ended|revoked/ },
    { line: 'secrets --project nope --config prd', code: 4, says: /^There is no config "prd" in a project "nope"/ },
    { line: 'run --project nope --config prd -- true', code: 4, says: /^leasehold: There is no config "prd"/ },
    {
      line: `leases abandon ${NOBODY} --reason gone --yes`,
      code: 4,
      says: /^There is no lease a{24}/,
      environment: () => asWhom('admin'),
    },
  ]);
}, 60_000);
