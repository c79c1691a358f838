import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRASHES, coresIn, crashNow, dumpedOf, dumpsHere, emptyCoresIn, prepareCrash } from '../support/crashes';
import type { Crash } from '../support/crashes';
import { openLab, pause, REQUEST } from '../support/lab';
import type { Lab } from '../support/lab';
import { startLeakHunt } from '../support/leak-hunt';
import { provided } from '../support/stack';
import { startTap } from '../support/tap';
import type { Tap } from '../support/tap';
import { startWorkerProcess } from '../support/worker-process';
import type { WorkerProcess } from '../support/worker-process';

const THROWN = 'FwoGZXIvYXdzCANARYOFACRASHxyz0123456789';

const testIf = (is: boolean) => (is ? test : test.skip);

let directory: string;
let tap: Tap;
let lab: Lab;
const { secretAccessKey } = provided().aws;
const secrets = (): string[] =>
  tap.answers.flatMap((answer) => [...answer.matchAll(/<SecretAccessKey>([^<]+)</g)].map(([, key]) => key!));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'leasehold-'));
  tap = await startTap(() => lab.proxy.url);
  lab = await openLab({ connection: { endpoint: tap.url }, environment: { LEASEHOLD_LOG_LEVEL: 'trace' } });
}, 60_000);

afterAll(async () => {
  await lab.close();
  await tap.close();
  await rm(directory, { recursive: true, force: true });
});

/** A worker in whose memory there is a credential that nobody has yet. */
async function startHolding(crash: Crash): Promise<{ readonly worker: WorkerProcess; readonly place: string }> {
  const { place, environment } = await prepareCrash(directory, crash, THROWN);
  const before = secrets().length;
  const isHeld = new Promise<void>((resolve) => {
    lab.proxy.setOnCall(async (operation, phase) => {
      if (operation !== 'GetCallerIdentity' || phase !== 'before') return;
      resolve();
      await new Promise(() => undefined);
    });
  });
  const worker = await startWorkerProcess(['--config', lab.configFile], { ...lab.environment, ...environment }, place);
  const given = new AbortController();
  lab.leases.issue({ ...REQUEST, ttl: '10m', signal: given.signal }).catch(() => undefined);
  await isHeld;
  given.abort();
  expect(secrets().length).toBeGreaterThan(before);
  return { worker, place: place.directory };
}

/** A file as the others are. */
async function planted(): Promise<Buffer> {
  const file = join(directory, 'planted');
  await writeFile(file, 'planted, to be found');
  return readFile(file);
}

test('a worker that crashes with a credential in its memory leaves nothing of it, nor of its admin credential', async () => {
  const hunt = startLeakHunt('a worker that crashes');
  hunt.canaries.add('the admin key', secretAccessKey);
  hunt.canaries.add('what is thrown', THROWN);
  for (const crash of CRASHES) {
    const { worker, place } = await startHolding(crash);
    await crashNow(worker, crash);
    hunt.place('output', `of a worker that ended by ${crash}`, worker.output());
    const cores = await emptyCoresIn(place);
    await hunt.files('files', place, cores);
    if (crash === 'throw' || crash === 'reject') {
      expect(worker.output()).toContain('"type":"Error"');
      expect(worker.output()).toContain('crash.cjs');
    }
    if (!dumpsHere() || ['SIGKILL', 'throw', 'reject'].includes(crash)) continue;
    expect(cores).toHaveLength(1);
  }
  for (const [index, key] of secrets().entries()) hunt.canaries.add(`leased key ${index}`, key);
  hunt.control('output', 'The worker is ready.');
  hunt.place('files', 'a control', await planted());
  hunt.control('files', 'planted, to be found');
  hunt.end();
}, 120_000);

testIf(dumpsHere())(
  'without that its core dump would hold both',
  async () => {
    const { worker, place } = await startHolding('abort');
    await writeFile(`/proc/${worker.pid}/coredump_filter`, '0x33');
    await crashNow(worker, 'abort');
    const [core] = await coresIn(place);
    const memory = await readFile(core!);
    expect([secretAccessKey, secrets().at(-1)!].map((secret) => memory.includes(secret))).toEqual([true, true]);
  },
  60_000,
);

test('no signal opens a debugger to a worker, and none makes it write a report', async () => {
  const { place, environment } = await prepareCrash(directory, 'SIGKILL', THROWN);
  const worker = await startWorkerProcess(['--config', lab.configFile], { ...lab.environment, ...environment }, place);
  expect([0, null]).toContain(dumpedOf(worker.pid));
  worker.signal('SIGUSR1');
  await pause(500);
  expect(worker.output()).not.toContain('Debugger');
  expect(await worker.stop()).toBe(0);
});
