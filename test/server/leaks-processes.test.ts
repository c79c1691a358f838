import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeToken } from '../../api/identity/token';
import { startApiProcess } from '../support/api-process';
import type { ApiProcess } from '../support/api-process';
import { CRASHES, crashNow, dumpedOf, emptyCoresIn, prepareCrash } from '../support/crashes';
import type { Crash, CrashSite } from '../support/crashes';
import { eventually, openLab, pause } from '../support/lab';
import type { Lab } from '../support/lab';
import { startLeakHunt } from '../support/leak-hunt';
import { createLeakSearch } from '../support/leak-search';
import { seeProcesses } from '../support/processes';
import type { SeenProcess } from '../support/processes';
import { startService } from '../support/service-process';
import type { ServiceProcess } from '../support/service-process';
import { provided } from '../support/stack';

const STATIC = 'CANARYSTATICOFPROCESSESxyz0123456789';
const THROWN = 'FwoGZXIvYXdzCANARYTHROWNINAPIxyz0123456789';
const PLANTED = 'planted-to-be-found-0123456789';
const WANTED = { project: 'backend', config: 'prd', dynamic_secret: 'S3_READER', ttl: '10m' };
const PLACE = ['--project', 'backend', '--config', 'prd'];
const inLinux = seeProcesses().length > 0 ? test : test.skip;
const { secretAccessKey } = provided().aws;

let directory: string;
let lab: Lab;
let api: ApiProcess;
const ci = makeToken('ci');
const started: ServiceProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  lab = await openLab({
    secrets: { STATIC: 'env:LAB_STATIC' },
    file: { access: { tokens: { ci: { hash: ci.hash, scopes: ['backend/prd'] } } } },
  });
  await lab.startWorker();
  api = await startApi();
}, 60_000);

afterAll(async () => {
  lab.proxy.setOnCall(undefined);
  await Promise.all([...started, api].map((service) => service.kill()));
  await lab.close();
  await rm(directory, { recursive: true, force: true });
});

function startApi(site?: CrashSite): Promise<ApiProcess> {
  // Of the admin credential it is given nothing.
  const own = { LAB_KEY_ID: '', LAB_KEY: '', LAB_STATIC: STATIC, LEASEHOLD_LOG_LEVEL: 'trace', ...site?.environment };
  return startApiProcess(['--config', lab.configFile], { ...lab.environment, ...own }, site?.place);
}

/** A command, and the program that it runs if it runs one, which says when it has begun. */
async function startCommand(args: readonly string[], site?: CrashSite): Promise<ServiceProcess> {
  const environment = {
    LEASEHOLD_HOST: api.url,
    LEASEHOLD_TOKEN: ci.token,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
  };
  const service = await startService(
    'cli/main.js',
    'program begun',
    args,
    { ...environment, ...site?.environment },
    site?.place,
  );
  started.push(service);
  return service;
}

const RUN = ['run', ...PLACE, '--', 'sh', '-c', 'echo "program begun $S3_READER_SECRET_ACCESS_KEY"; exec sleep 60'];

/** As a mount: its program has it in no variable that others see. */
const MOUNTED = [
  ...['run', ...PLACE, '--mount', 'mount', '--mount-format', 'env', '--', 'sh', '-c'],
  '. "./$(basename "$LEASEHOLD_SECRETS_PATH")"; echo "program begun $S3_READER_SECRET_ACCESS_KEY"; exec sleep 60',
];

function leasedTo(service: ServiceProcess): string {
  return /program begun (\S+)/.exec(service.output())![1]!;
}

inLinux(
  'what others see of a process is what it was given, and what was leased in the program alone that it is for',
  async () => {
    const run = await startCommand(RUN);
    const leased = leasedTo(run);
    const place = { directory, dumpsCore: false };
    const mounting = await startCommand(MOUNTED, { place, environment: {} });
    const mounted = leasedTo(mounting);
    expect(mounted).not.toBe(leased);
    const search = createLeakSearch(
      new Map([
        ['admin', secretAccessKey],
        ['leased', leased],
        ['mounted', mounted],
        ['static', STATIC],
        ['token', ci.token],
      ]),
    );
    const isHeld = new Promise<void>((resolve) => {
      lab.proxy.setOnCall(async (operation, phase) => {
        if (operation !== 'GetCallerIdentity' || phase !== 'before') return;
        resolve();
        await new Promise(() => undefined);
      });
    });
    for (const command of [
      ['secrets', 'download', ...PLACE],
      ['lease', 'S3_READER', ...PLACE],
    ]) {
      void startCommand(command).catch(() => undefined);
    }
    await isHeld;
    for (const word of COMMANDS) await eventually(async () => find(word) !== undefined, 'the command to be there');
    const hunt = startLeakHunt('processes');
    for (const [name, value] of [
      ['leased', leased],
      ['mounted', mounted],
      ['token', ci.token],
      ['static', STATIC],
      ['admin', secretAccessKey],
    ] as const) {
      hunt.canaries.add(name, value);
    }
    const all = seeProcesses();
    for (const { pid, commandLine } of all) hunt.place('command lines', String(pid), commandLine);
    hunt.control('command lines', join('dist', 'api', 'main.js'));
    const of = (pid: number | undefined): readonly string[] =>
      [...search.find(all.find((each) => each.pid === pid)!.environment)].sort();
    const below = (pid: number): SeenProcess[] => all.filter(({ parent }) => parent === pid);
    const program = below(run.pid).find(({ commandLine }) => commandLine.startsWith('sleep'))!;
    const witness = below(run.pid).find(({ commandLine }) => commandLine.includes('of leasehold'))!;
    const ours = [witness, ...below(witness.pid), ...all.filter(({ commandLine }) => isOurs(commandLine))];
    expect(of(program.pid)).toEqual(['leased', 'static']);
    expect(of(run.pid)).toEqual(['token']);
    expect([witness, ...below(witness.pid)].flatMap(({ pid }) => of(pid))).toEqual([]);
    expect(of(mounting.pid)).toEqual(['token']);
    expect(below(mounting.pid).length).toBeGreaterThanOrEqual(2);
    expect(below(mounting.pid).flatMap(({ pid }) => of(pid))).toEqual([]);
    for (const word of COMMANDS) expect(of(find(word)!.pid)).toEqual(['token']);
    expect(of(api.pid)).toEqual(['static']);
    const holders = all.filter(({ environment }) => search.find(environment).includes('leased'));
    expect(holders.map(({ pid }) => pid)).toEqual([program.pid]);
    expect(ours.length).toBeGreaterThan(5);
    expect(ours.map(({ pid }) => dumpedOf(pid))).toEqual(ours.map(() => 0));
    // Its core dumps are its own affair.
    expect(dumpedOf(program.pid)).toBe(dumpedOf('self'));
    hunt.end();
    lab.proxy.setOnCall(undefined);
    process.kill(program.pid, 'SIGKILL');
    // They say nothing before they are done.
    for (const word of COMMANDS) process.kill(find(word)!.pid, 'SIGKILL');
    for (const { pid } of below(mounting.pid)) process.kill(pid, 'SIGKILL');
  },
);

/** In the command lines of what has not ended. */
const COMMANDS = ['download', 'lease S3_READER'];

function find(word: string): SeenProcess | undefined {
  return seeProcesses().find(({ commandLine }) => isOurs(commandLine) && commandLine.includes(word));
}

/** Of this test, and not of another that runs at the same time. */
function isOurs(commandLine: string): boolean {
  const mine = [lab.configFile, ...(/dist\/cli/.test(commandLine) ? PLACE : [])];
  return /dist\/(?:worker|api|cli)\/main\.js/.test(commandLine) && mine.some((text) => commandLine.includes(text));
}

test('an API that crashes leaves nothing of what it handed out, of its tokens and of its secrets', async () => {
  const hunt = startLeakHunt('an API that crashes');
  hunt.canaries.add('the static secret', STATIC);
  hunt.canaries.add('the token', ci.token);
  hunt.canaries.add('what is thrown', THROWN);
  await Promise.all(
    CRASHES.map(async (crash) => {
      const site = await prepareCrash(join(directory, 'api'), crash, THROWN);
      const crashing = await startApi(site);
      const answer = await fetch(`${crashing.url}/v1/leases`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ci.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(WANTED),
      });
      const { credential } = (await answer.json()) as { readonly credential: Readonly<Record<string, string>> };
      hunt.canaries.add(`leased before ${crash}`, credential['SECRET_ACCESS_KEY']!);
      crashing.signal('SIGUSR1');
      await crashNow(crashing, crash);
      expect(crashing.output()).not.toContain('Debugger');
      hunt.place('output', crash, crashing.output());
      await look(hunt, site);
    }),
  );
  hunt.control('output', 'The API is ready.');
  hunt.end();
}, 60_000);

test('a command that crashes leaves nothing of what it leased', async () => {
  const hunt = startLeakHunt('a command that crashes');
  hunt.canaries.add('the token', ci.token);
  for (const crash of ['SIGSEGV', 'SIGABRT', 'SIGKILL'] satisfies Crash[]) {
    const site = await prepareCrash(join(directory, 'run'), crash, THROWN);
    const run = await startCommand(RUN, site);
    hunt.canaries.add(`leased before ${crash}`, leasedTo(run));
    const program = seeProcesses().filter(
      ({ parent, commandLine }) => parent === run.pid && commandLine.startsWith('sleep'),
    );
    await crashNow(run, crash);
    for (const { pid } of program) process.kill(pid, 'SIGKILL');
    await look(hunt, site);
  }
  hunt.end();
}, 60_000);

async function look(hunt: ReturnType<typeof startLeakHunt>, { place }: CrashSite): Promise<void> {
  await pause(100);
  await writeFile(join(place.directory, 'tmp', 'planted'), PLANTED);
  await hunt.files('files', place.directory, await emptyCoresIn(place.directory));
  hunt.control('files', PLANTED);
}
