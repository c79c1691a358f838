import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectHttpLeases } from '../../client/http';
import type { HttpLeases } from '../../client/http';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually } from '../support/lab';
import { startProgram } from '../support/program';
import { CTRL_C, openTerminal } from '../support/terminal';
import type { Terminal } from '../support/terminal';
import type { Ended, Program } from '../support/program';

const REQUEST = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', ttl: '10m' };
const ID = /[a-z2-7]{24}/;
const NOBODY = 'aaaaaaaaaaaaaaaaaaaaaaaa';

let lab: ApiLab;
let directory: string;

beforeAll(async () => {
  lab = await openApiLab({
    dynamicSecrets: { SPARE: { integration: 'memory', min_ttl: '1s', max_ttl: '12h' } },
    tokens: {
      crowd: { scopes: ['backend/prd'] },
      reader: { scopes: ['backend/prd'], rights: ['read'] },
      wide: { scopes: ['backend/*'] },
    },
  });
  directory = await mkdtemp(join(tmpdir(), 'leasehold-cli-'));
}, 60_000);

afterEach(async () => {
  lab.provider.heal();
  lab.provider.before = () => undefined;
  await Promise.all(
    Object.values(lab.tokens).map(async (token) => {
      const leases = connectHttpLeases({ url: lab.url, token });
      const { holder } = await leases.whoami();
      for await (const { leaseId } of leases.list({ holder, live: true })) await leases.revoke(leaseId);
    }),
  );
  await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
});

afterAll(async () => {
  await lab.close();
  await rm(directory, { recursive: true });
});

function environmentOf(token = 'ci'): Record<string, string> {
  return { LEASEHOLD_HOST: lab.url, LEASEHOLD_TOKEN: lab.tokens[token]! };
}

function start(args: readonly string[], token?: string): Program {
  return startProgram('cli/main.js', args, { environment: environmentOf(token), directory });
}

/** Runs it to its end. Whatever it says, it says no token and no stack. */
async function run(args: readonly string[], token?: string): Promise<Ended> {
  return innocent(await start(args, token).ended);
}

function innocent(ended: Ended): Ended {
  const said = ended.stdout + ended.stderr;
  expect(Object.values(lab.tokens).filter((token) => said.includes(token))).toEqual([]);
  expect(said).not.toMatch(/^ {4}at /m);
  expect(ended.stderr).not.toContain('canary');
  return ended;
}

/** The same in a terminal. */
function open(
  args: readonly string[],
  { term = 'xterm', columns = 80, ...more }: TerminalChoices = {},
): Promise<Terminal> {
  const command = [process.execPath, join(__dirname, '../../dist/cli/main.js'), ...args];
  const environment = { ...environmentOf(), XDG_CONFIG_HOME: directory, TERM: term, COLUMNS: String(columns), ...more };
  return openTerminal(command, { environment, directory });
}

interface TerminalChoices {
  readonly term?: string;
  readonly columns?: number;
  readonly NO_COLOR?: string;
}

/** The same in a shell, where its output can be led elsewhere. The program's arguments are `"$@"`. */
async function shell(script: string, args: readonly string[], token?: string): Promise<Ended> {
  const main = join(__dirname, '../../dist/cli/main.js');
  const argv = ['-c', script, 'sh', process.execPath, main, ...args];
  const environment = { PATH: process.env['PATH'], ...environmentOf(token) };
  const child = spawn('sh', argv, { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return innocent({ code, ...output });
}

function leasesOf(token: string): HttpLeases {
  return connectHttpLeases({ url: lab.url, token: lab.tokens[token]! });
}

async function issue(token: string, dynamicSecret = 'TOKEN'): Promise<string> {
  return (await leasesOf(token).issue({ ...REQUEST, dynamicSecret })).leaseId;
}

/** Where a server was and is no more. */
async function addressOfNobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}`;
}

function jsonLines(stdout: string): readonly Record<string, unknown>[] {
  const lines = stdout.split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Until the index, which lags, knows them. */
async function untilListed(token: string, ids: readonly string[]): Promise<void> {
  await eventually(async () => {
    const listed = new Set<string>();
    for await (const { leaseId } of leasesOf(token).list({ live: true })) listed.add(leaseId);
    return ids.every((id) => listed.has(id));
  }, 'the index to know the leases');
}

describe('lease', () => {
  test('prints a credential once, until when and how to end it', async () => {
    const { code, stdout, stderr } = await run(['lease', 'TOKEN', '--ttl', '15m']);
    const [leaseId = ''] = ID.exec(stdout) ?? [];
    expect(stdout).toMatch(
      new RegExp(`^Lease +${leaseId}\nEnds +in 15 minutes \\(2.*Z\\)\nTOKEN +canary-${leaseId}\n`),
    );
    expect(stderr).toBe(`To end lease ${leaseId} now: leasehold leases revoke ${leaseId}\n`);
    expect(code).toBe(0);
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    expect(await run(['leases', 'revoke', leaseId, '--wait'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^Lease ${leaseId}: revoked at .*Z\\.\n$`),
    });
    expect(lab.provider.of(leaseId)).toEqual([]);
  });

  test('prints for programs: one line of JSON, lines for a shell, or a value alone', async () => {
    const [json, env, plain] = await Promise.all([
      run(['lease', 'TOKEN', '--json']),
      run(['lease', 'TOKEN', '--env']),
      run(['lease', 'TOKEN', '--plain', 'TOKEN']),
    ]);
    const [lease = {}] = jsonLines(json.stdout);
    const leaseId = lease['lease_id'] as string;
    expect(lease).toEqual({
      lease_id: expect.stringMatching(ID),
      expires_at: expect.stringMatching(/^2.*Z$/),
      usable_at: expect.stringMatching(/^2.*Z$/),
      credential: { TOKEN: `canary-${leaseId}` },
      facts: { name: lab.provider.of(leaseId)[0] },
      notes: [],
    });
    expect(json.stderr).toBe('');
    const [, other = ''] = /^TOKEN="([a-z2-7]{24})"$/m.exec(env.stdout) ?? [];
    expect(env.stdout.split('\n').slice(0, 2)).toEqual([`TOKEN_TOKEN="canary-${other}"`, `TOKEN_LEASE_ID="${other}"`]);
    const [, third = ''] = /^canary-([a-z2-7]{24})\n$/.exec(plain.stdout) ?? [];
    expect(plain.stderr).toMatch(
      new RegExp(`^Lease ${third} ends in .*\\. To end it now: leasehold leases revoke ${third}\n$`),
    );
    expect([leaseId, other, third].map((id) => lab.provider.of(id).length)).toEqual([1, 1, 1]);
  });

  test.each([
    [
      'the disk is full',
      '"$@" > /dev/full',
      /^Standard output could not be written \(ENOSPC\)\. Lease .* was revoked\.\n$/,
    ],
    [
      'the disk takes a part of it',
      'head -c 400 /dev/zero > cut; ulimit -f 1; "$@" >> cut',
      /^Standard output could not be written \(EFBIG\)\. Lease .* was revoked\.\n$/,
    ],
    [
      'its reader has gone',
      '"$@" | true',
      /^Standard output could not be written \(EPIPE\)\. Lease .* was revoked\.\n$/,
    ],
  ])('revokes what could not be written out: %s', async (_, script, said) => {
    const made = lab.provider.calls.provision;
    const { code, stderr } = await shell(
      `exec 3>&1; { ${script}; echo "code $?" >&3; }`.replace('"$@" |', '{ sleep 1; "$@"; echo "code $?" >&3; } |'),
      ['lease', 'TOKEN', '--json'],
    ).then((ended) => ({ ...ended, code: /code ([0-9]+)/.exec(ended.stdout)?.[1] }));
    expect({ code, stderr }).toEqual({ code: '1', stderr: expect.stringMatching(said) });
    expect(lab.provider.calls.provision).toBe(made + 1);
    const [leaseId = ''] = ID.exec(stderr) ?? [];
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', reason: 'its credential was not printed' });
    expect(lab.provider.entities.size).toBe(0);
  });

  test('revokes what it was called off before it had written it out', async () => {
    const full =
      'mkfifo pipe && exec 3<>pipe && head -c 65536 /dev/zero >&3 && "$@" >&3 & echo; wait $!; echo "code $?"';
    const said = shell(
      `${full.replace('"$@" >&3 &', '{ "$@" >&3 & pid=$!; while [ ! -e go ]; do sleep 0.1; done; kill -TERM $pid; wait $pid; } &')}; rm -f pipe go`,
      ['lease', 'TOKEN'],
    );
    await eventually(async () => lab.provider.entities.size === 1, 'a lease');
    const [entity = ''] = lab.provider.entities.keys();
    const leaseId = ID.exec(entity.slice(-24))![0];
    await eventually(async () => lab.events(leaseId).includes('delivered'), 'its delivery');
    // What was delivered is written out at once, to a pipe that takes nothing.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await shell('touch go', []);
    const { stdout, stderr } = await said;
    expect(stdout).toContain('code 130');
    expect(stderr).toContain(`The command was called off. Lease ${leaseId} was revoked.`);
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked' });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves nothing when %s comes while it is made', async (name) => {
    let begun = (): void => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    lab.provider.before = async (verb) => {
      if (verb !== 'provision') return;
      begun();
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    const program = start(['lease', 'TOKEN']);
    await isBegun;
    program.signal(name);
    const { code, stdout, stderr } = innocent(await program.ended);
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    await eventually(async () => lab.provider.entities.size === 0, 'nothing to be left');
  });

  test('leaves nothing when the terminal is closed while it is made, nor a core dump of what it knew', async () => {
    let begun = (): void => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    lab.provider.before = async (verb) => {
      if (verb !== 'provision') return;
      begun();
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    const terminal = await open(['lease', 'TOKEN']);
    await isBegun;
    terminal.hangUp();
    // Not aborted, as Node does where it finds its terminal gone.
    expect(await terminal.ended).toEqual({ code: 130, signal: null });
    expect(terminal.output()).not.toContain('canary');
    await eventually(async () => lab.provider.entities.size === 0, 'nothing to be left');
  });

  test('makes nothing of a command line that cannot be followed, and says in a line or two what to do', async () => {
    const made = lab.provider.calls.provision;
    const nobody = await addressOfNobody();
    const wrong: readonly (readonly [number, RegExp, readonly string[], string?])[] = [
      [2, /missing required argument/, ['lease']],
      [2, /no dynamic secret "NOPE" in "backend\/prd"/, ['lease', 'NOPE']],
      [4, /nothing to lease in "backend\/nope", no such config/, ['lease', 'TOKEN', '--config', 'nope']],
      [
        2,
        /--plain: TOKEN has no field "PASSWORD", but TOKEN\. Nothing was leased/,
        ['lease', 'TOKEN', '--plain', 'PASSWORD'],
      ],
      [2, /--ttl: "soon" is not a duration/, ['lease', 'TOKEN', '--ttl', 'soon']],
      [2, /from 1s to 12h/, ['lease', 'TOKEN', '--ttl', '2d']],
      [2, /cannot be used with/, ['lease', 'TOKEN', '--json', '--env']],
      [2, /--project and --config/, ['lease', 'TOKEN'], 'wide'],
      [5, /right/, ['lease', 'TOKEN'], 'reader'],
      [3, /cannot be reached \(ECONNREFUSED\)/, ['lease', 'TOKEN', '--host', nobody]],
    ];
    const ended = await Promise.all(wrong.map(([, , args, token]) => run(args, token)));
    wrong.forEach(([code, said], index) => {
      expect(ended[index]).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
      expect(ended[index]!.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    });
    const nowhere = await Promise.all(
      ['"$@" > /dev/null', '"$@" >&-'].flatMap((script) => [
        shell(script, ['lease', 'TOKEN']),
        shell(script, ['credential-process', 'TOKEN']),
      ]),
    );
    for (const each of nowhere)
      expect(each).toMatchObject({ code: 2, stderr: expect.stringMatching(/Nothing was leased/) });
    expect(lab.provider.calls.provision).toBe(made);
  });
});

describe('leases', () => {
  test('lists live leases, one’s own or as an admin all, as a table or as lines of JSON', async () => {
    const [own, other, spare] = await Promise.all([issue('ci'), issue('other'), issue('ci', 'SPARE')]);
    await untilListed('admin', [own, other, spare]);
    const [table, all, filtered, limited, none] = await Promise.all([
      run(['leases', 'list']),
      run(['leases', 'list', '--json', '--project', 'backend'], 'admin'),
      run(['leases', 'list', '--json', '--holder', 'token:ci', '--dynamic-secret', 'SPARE'], 'admin'),
      run(['leases', 'list', '--json', '--limit', '1'], 'admin'),
      run(['leases', 'list', '--holder', 'token:other']),
    ]);
    const lines = table.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^LEASE +DYNAMIC SECRET +STATE +ENDS +HOLDER +ENTITY$/);
    for (const [id, name] of [
      [own, 'TOKEN'],
      [spare, 'SPARE'],
    ] as const) {
      const row = `^${id} +backend/prd/${name} +active +in 10 minutes +token:ci +${lab.provider.of(id)[0]!}$`;
      expect(lines.slice(1)).toContainEqual(expect.stringMatching(row));
    }
    expect(lines).toHaveLength(3);
    expect(new Set(jsonLines(all.stdout).map((lease) => lease['lease_id']))).toEqual(new Set([own, other, spare]));
    expect(jsonLines(filtered.stdout)).toEqual([
      {
        lease_id: spare,
        state: 'active',
        project: 'backend',
        config: 'prd',
        dynamic_secret: 'SPARE',
        integration: 'memory',
        holder: 'token:ci',
        entity: lab.provider.of(spare)[0],
        requested_at: expect.stringMatching(/^2.*Z$/),
        expires_at: expect.stringMatching(/^2.*Z$/),
        ended_at: null,
      },
    ]);
    expect(jsonLines(limited.stdout)).toHaveLength(1);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'No live leases. --all lists those that have ended too.\n' });
  });

  test('lists in a terminal what fits in its lines, with whole ids, and in colour where it has any', async () => {
    const id = await issue('ci');
    await untilListed('admin', [id]);
    const draw = async (choices: TerminalChoices): Promise<string> => {
      const terminal = await open(['leases', 'list'], choices);
      await terminal.ended;
      return terminal.output();
    };
    const [plain, narrow, wide, dumb, colourful] = await Promise.all([
      draw({ NO_COLOR: '1' }),
      draw({ NO_COLOR: '1', columns: 40 }),
      draw({ NO_COLOR: '1', columns: 200 }),
      draw({ term: 'dumb' }),
      draw({}),
    ]);
    for (const [text, columns] of [
      [plain, 80],
      [narrow, 40],
      [wide, 200],
    ] as const) {
      const lines = text.trimEnd().split('\r\n');
      expect(lines).toHaveLength(2);
      expect(lines[1]).toMatch(new RegExp(`^${id} {2}backend/`));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(text).not.toContain('\u001b');
    }
    expect(plain).toMatch(/ active {2}in 10 minutes /);
    expect(wide).toContain(lab.provider.of(id)[0]);
    expect(dumb).not.toContain('\u001b');
    expect(colourful).toContain('\u001b[32mactive\u001b[39m');
  });

  test.each([
    ['no', 'n\r', { code: 2, signal: null }],
    ['nothing', '\r', { code: 2, signal: null }],
    ['the end of the input', '\u0004', { code: 2, signal: null }],
    ['Ctrl-C', CTRL_C, { code: null, signal: 'SIGINT' }],
    ['yes', 'y\r', { code: 0, signal: null }],
  ])('asks before it revokes all, and takes %s for what it is', async (_, keys, end) => {
    const id = await issue('ci');
    await untilListed('admin', [id]);
    const terminal = await open(['leases', 'revoke', '--all']);
    await terminal.until(/Revoke 1 live lease of holder token:ci\? \[y\/N\] /);
    terminal.type(keys);
    expect(await terminal.ended).toEqual(end);
    const isRevoked = end.code === 0;
    expect(await leasesOf('ci').get(id)).toMatchObject({ state: isRevoked ? 'revoked' : 'active' });
    expect(terminal.output()).toContain(
      { 0: '1 lease ended and removed.', 2: 'Not confirmed: nothing was done.' }[end.code ?? -1] ?? '\r\n',
    );
  });

  test('draws in a terminal how far a long revoke has got, and clears it at the end', async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, () => issue('ci')));
    const terminal = await open(['leases', 'revoke', '--wait', ...ids]);
    expect(await terminal.ended).toEqual({ code: 0, signal: null });
    const said = terminal.output();
    expect(said).toMatch(/\r\[\.{24}\] ended 0\/3\u001b\[K/);
    expect(said).toMatch(/\r\[#{24}\] ended 3\/3\u001b\[K\r\u001b\[KLease /);
    expect(
      said
        .slice(said.lastIndexOf('\u001b[K') + 3)
        .trimEnd()
        .split('\r\n'),
    ).toEqual(ids.map((id) => expect.stringMatching(`^Lease ${id}: revoked at `) as unknown));
  });

  test('shows one as it is, moves its end, and shows how it ended', async () => {
    const id = await issue('ci');
    expect((await run(['leases', 'show', id])).stdout).toMatch(
      /^State +active\n(.*\n)*Holder +token:ci\n(.*\n)*Ends +in 10 minutes/m,
    );
    const extended = await run(['leases', 'extend', id, '--ttl', '1h']);
    expect(extended).toMatchObject({ code: 0, stdout: expect.stringMatching(`^Lease ${id} ends in 60 minutes \\(2`) });
    const end = (await leasesOf('ci').get(id)).expiresAt!;
    expect(end.getTime() - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(lab.provider.entities.get(lab.provider.of(id)[0]!)!.expiresAt!.getTime()).toBeGreaterThanOrEqual(
      end.getTime(),
    );
    const shorter = await run(['leases', 'extend', id, '--ttl', '5m', '--json']);
    expect(jsonLines(shorter.stdout)).toEqual([{ lease_id: id, expires_at: expect.stringMatching(/Z$/) }]);
    await run(['leases', 'revoke', id, '--wait', '20s', '--reason', 'seen in a log']);
    const [report] = jsonLines((await run(['leases', 'show', id, '--json'])).stdout);
    expect(report).toMatchObject({ state: 'revoked', ended_by: 'token:ci', reason: 'seen in a log', failure: null });
    expect(await run(['leases', 'extend', id, '--ttl', '1h'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(id),
    });
  });

  test('revokes those that are named, each once, and tells of those that it could not', async () => {
    const [first, second, foreign] = await Promise.all([issue('ci'), issue('ci'), issue('other')]);
    const dry = await run(['leases', 'revoke', first, second, '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stderr: 'This would revoke 2 leases. Nothing was done.\n' });
    expect(lab.provider.entities.size).toBe(3);
    // What follows --wait is no span of time but a lease.
    const ended = await run(['leases', 'revoke', '--json', '--wait', first, second, foreign, first]);
    expect(ended.code).toBe(1);
    expect(jsonLines(ended.stdout)).toEqual(
      [first, second].map((id) => ({
        lease_id: id,
        state: 'revoked',
        ended_at: expect.any(String),
        ended_by: 'token:ci',
        reason: 'leasehold leases revoke',
      })),
    );
    expect(ended.stderr).toMatch(new RegExp(`^Lease ${foreign}: .*${foreign}.*\n$`, 'm'));
    expect([...lab.provider.entities.keys()]).toEqual(lab.provider.of(foreign));
    expect(await run(['leases', 'revoke', foreign])).toMatchObject({ code: 4, stdout: '' });
  });

  test('does not wait longer for a removal than it was told to', async () => {
    const id = await issue('ci');
    lab.provider.fail('Unavailable', 'deprovision');
    const { code, stderr } = await run(['leases', 'revoke', id, '--wait', '1s']);
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: expect.stringMatching(/not confirmed (within 1s|in time)\. .*goes on/),
    });
    expect(lab.provider.of(id)).toHaveLength(1);
  });

  test('does nothing on a command line that cannot be followed', async () => {
    const id = await issue('ci');
    const wrong: readonly (readonly [number, RegExp, readonly string[], string?])[] = [
      [2, /Name the leases/, ['leases', 'revoke']],
      [2, /not both/, ['leases', 'revoke', id, '--all', '--yes']],
      [2, /go with --all/, ['leases', 'revoke', id, '--project', 'backend']],
      [2, /add --yes/, ['leases', 'revoke', '--all']],
      [2, /add --yes/, ['leases', 'revoke', '--all', '--project', 'backend'], 'admin'],
      [2, /Say whose.*--mine/, ['leases', 'revoke', '--all', '--yes'], 'admin'],
      [5, /right admin/, ['leases', 'revoke', '--all', '--yes', '--holder', 'token:other']],
      [2, /--wait: at most 1d/, ['leases', 'revoke', id, '--wait', '2d']],
      [2, /24 characters/, ['leases', 'revoke', 'TOKEN']],
      [2, /--ttl/, ['leases', 'extend', id]],
      [2, /--ttl: "x" is not a duration/, ['leases', 'extend', id, '--ttl', 'x']],
      [2, /whole number/, ['leases', 'list', '--limit', '0']],
      [2, /Allowed choices/, ['leases', 'list', '--state', 'lost']],
      [2, /printable/, ['leases', 'list', '--holder', '']],
      [4, /aaaa/, ['leases', 'show', NOBODY]],
      [2, /--reason/, ['leases', 'abandon', id]],
      [2, /add --yes/, ['leases', 'abandon', id, '--reason', 'x']],
      [5, /right/, ['leases', 'abandon', id, '--reason', 'x', '--yes']],
      [5, /right/, ['leases', 'revocations']],
      [5, /right/, ['blocks', 'list']],
      [4, /no such block/, ['blocks', 'lift', 'nope'], 'admin'],
      [4, /no such revocation/, ['leases', 'revocations', 'nope'], 'admin'],
    ];
    const ended = await Promise.all(wrong.map(([, , args, token]) => run(args, token)));
    wrong.forEach(([code, said], index) => {
      expect(ended[index]).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
      expect(ended[index]!.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    });
    expect(await leasesOf('ci').get(id)).toMatchObject({ state: 'active' });
  });

  test('revokes all of one’s own, without a block, and tells how many', async () => {
    const holders = ['ci', ...Array<string>(20).fill('crowd')];
    const [foreign = '', ...ids] = await Promise.all(holders.map((holder) => issue(holder)));
    await untilListed('admin', [...ids, foreign]);
    const listed = jsonLines((await run(['leases', 'list', '--json'], 'crowd')).stdout);
    expect(new Set(listed.map((lease) => lease['lease_id']))).toEqual(new Set(ids));
    const { code, stdout, stderr } = await run(['leases', 'revoke', '--all', '--yes'], 'crowd');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '20 leases ended and removed.\n' });
    expect(stderr).toMatch(/^ended 20\/20$/m);
    expect([...lab.provider.entities.keys()]).toEqual(lab.provider.of(foreign));
    expect(await leasesOf('admin').blocks()).toEqual([]);
  }, 60_000);

  test('gives up the removal of one that cannot succeed', async () => {
    const id = await issue('ci');
    lab.provider.fail('Refused', 'deprovision');
    await run(['leases', 'revoke', id]);
    const given = await run(['leases', 'abandon', id, '--reason', 'the account is closed', '--yes'], 'admin');
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining(`Lease ${id} is being given up`) });
    expect(await lab.outcome(id)).toMatchObject({ state: 'abandoned', reason: 'the account is closed' });
    expect(lab.provider.of(id)).toHaveLength(1);
    lab.provider.entities.clear();
  });
});

describe('revoke --all of an admin', () => {
  /** Interrupts one, sees that it is still to be looked at, and answers its id. */
  async function leaveRunning(): Promise<string> {
    const id = await issue('ci', 'SPARE');
    const args = ['leases', 'revoke', '--all', '--dynamic-secret', 'SPARE', '--yes'];
    const program = start([...args, '--json'], 'admin');
    await eventually(async () => (await leasesOf('ci').get(id)).endedAt !== null, 'the lease to end');
    program.signal('SIGINT');
    const { code, stdout, stderr } = innocent(await program.ended);
    const [report = {}] = jsonLines(stdout);
    const revocation = report['id'] as string;
    expect({ code, state: report['state'] }).toEqual({ code: 130, state: 'running' });
    expect(stderr).toContain(`It goes on by itself: leasehold leases revocations ${revocation}`);
    const left = await run([...args, '--no-wait'], 'admin');
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining('is under way') });
    expect((await run(['leases', 'revocations', revocation], 'admin')).stdout).toMatch(
      new RegExp(`^Revocation +${revocation}\nState +(running|done)\nOf +dynamic secret SPARE\n`),
    );
    return revocation;
  }

  test('ends what the filter means, blocks more, says how the block is lifted, and goes on when interrupted', async () => {
    const revocation = await leaveRunning();
    const [meant, spared] = await Promise.all([issue('ci'), issue('other')]);
    await untilListed('admin', [meant, spared]);
    const filter = ['leases', 'revoke', '--all', '--holder', 'token:ci'];
    const dry = await run([...filter, '--dry-run', '--json'], 'admin');
    expect(jsonLines(dry.stdout)).toMatchObject([{ lease_id: meant }]);
    expect(dry.stderr).toBe(
      'This would revoke 1 live lease of holder token:ci, and block new ones until the block is lifted. Nothing was done.\n',
    );
    expect(await leasesOf('admin').blocks()).toHaveLength(1);

    const { code, stdout, stderr } = await run([...filter, '--yes', '--reason', 'token in a log'], 'admin');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^No lease of holder token:ci is left that was not told to end\..*is done\.\n$/),
    });
    const [, block = ''] =
      /^Block (\S+) stays: no lease of holder token:ci is issued until leasehold blocks lift \1$/m.exec(stderr)!;
    expect(await lab.outcome(meant)).toMatchObject({ state: 'revoked', reason: 'token in a log' });
    expect([...lab.provider.entities.keys()]).toEqual(lab.provider.of(spared));

    expect(await run(['lease', 'TOKEN'])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining(block),
    });
    expect((await run(['blocks', 'list'], 'admin')).stdout).toMatch(
      new RegExp(`^${block} +holder token:ci +token:admin +token in a log +[0-9]+ seconds ago$`, 'm'),
    );
    expect(await run(['blocks', 'lift', block], 'admin')).toMatchObject({
      code: 0,
      stdout: 'Lifted: leases of holder token:ci can be issued again.\n',
    });
    expect((await run(['lease', 'TOKEN', '--plain', 'TOKEN'])).stdout).toMatch(/^canary-/);
    expect(await leasesOf('admin').revocation(revocation)).toMatchObject({ state: 'done' });
    for (const { id } of await leasesOf('admin').blocks()) await leasesOf('admin').liftBlock(id);
  }, 60_000);
});

test('whoami tells which API, as whom, what may be done and until when', async () => {
  const [text, json] = await Promise.all([run(['whoami']), run(['whoami', '--json'], 'admin')]);
  expect(text).toEqual({
    code: 0,
    stdout: `Host    ${lab.url}\nHolder  token:ci\nToken   token/ci\nRights  read, lease, revoke-own\nScopes  backend/prd\nEnds    never\n`,
    stderr: '',
  });
  expect(jsonLines(json.stdout)).toEqual([
    {
      host: lab.url,
      token_id: 'token/admin',
      holder: 'token:admin',
      rights: ['read', 'lease', 'revoke-own', 'admin'],
      scopes: ['*'],
      expires_at: null,
    },
  ]);
});
