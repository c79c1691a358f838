// Plays a random plan of leases and faults against everything that a deployment has, and judges it by the promises of
// docs/design.md. What it does and how to read it: docs/reliability.md.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run chaos -- [options]

  --seed N         which plan is made: the same seed and size make the same plan (default: a random one, which is said)
  --leases N       how many are asked for (default: 600)
  --faults N       how many are brought about (default: 80)
  --minutes N      how long leases are asked for; the last ones are waited for beyond that (default: 5)
  --break WHAT     fence, plan or sweep: breaks this part of the workers, and expects the checker to find it
  --report FILE    writes what was found as JSON, or the table in Markdown if the name ends with .md
  --keep DIRECTORY leaves there everything that was seen, and the logs, audit files and Temporal's database
  --judge KEPT     plays nothing, and judges again what an earlier run has left in this directory
`;

const BREAKS = ['fence', 'plan', 'sweep'];

function fail(problem) {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

const DEFAULTS = { leases: '600', faults: '80', minutes: '5' };

function read() {
  const options = {
    seed: { type: 'string' },
    leases: { type: 'string' },
    faults: { type: 'string' },
    minutes: { type: 'string' },
    break: { type: 'string' },
    report: { type: 'string' },
    keep: { type: 'string' },
    judge: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  };
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    return fail(error.message);
  }
}

/** @param fractions whether the number need not be whole. */
function number(name, text, least, most, fractions = false) {
  const value = (fractions ? /^\d+(\.\d+)?$/ : /^\d+$/).test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  return fail(`--${name} must be a ${fractions ? '' : 'whole '}number from ${least} to ${most}, not "${text}".`);
}

/** What would fail only after a long run fails before it. */
function reportFile(path) {
  if (path === undefined) return null;
  const file = resolve(path);
  if (isDirectory(file)) fail(`--report must name a file, and ${file} is a directory.`);
  return make('report', dirname(file)) && file;
}

/** Two runs in one directory could not be told apart. */
function keepDirectory(path) {
  if (path === undefined) return null;
  const directory = make('keep', resolve(path));
  if (readdirSync(directory).length === 0) return directory;
  return fail(`--keep must name an empty or a new directory, and ${directory} holds something.`);
}

function isDirectory(path) {
  return existsSync(path) && statSync(path).isDirectory();
}

function make(option, directory) {
  try {
    mkdirSync(directory, { recursive: true });
    return directory;
  } catch (error) {
    return fail(`--${option}: the directory ${directory} cannot be made (${error.code}).`);
  }
}

/** What the run left, by the directory or by its own name. */
function keptTrace(path) {
  const useless = ['seed', 'leases', 'faults', 'minutes', 'keep'].find((name) => given[name] !== undefined);
  if (useless !== undefined) fail(`--${useless} is of no use with --judge: the run has been played.`);
  const kept = resolve(path);
  const file = isDirectory(kept) ? join(kept, 'trace.json') : kept;
  return existsSync(file) ? file : fail(`--judge must name what --keep has left, and there is no ${file}.`);
}

const given = read();
if (given.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (given.break !== undefined && !BREAKS.includes(given.break)) {
  fail(`--break must be one of ${BREAKS.join(', ')}, not "${given.break}".`);
}
const judge = given.judge === undefined ? null : keptTrace(given.judge);
const seed = given.seed === undefined ? randomInt(2 ** 31) : number('seed', given.seed, 0, 2 ** 32 - 1);
const request = {
  seed,
  leases: number('leases', given.leases ?? DEFAULTS.leases, 1, 1_000_000),
  faults: number('faults', given.faults ?? DEFAULTS.faults, 0, 1_000_000),
  minutes: number('minutes', given.minutes ?? DEFAULTS.minutes, 0.1, 1_440, true),
  broken: given.break ?? null,
  report: reportFile(given.report),
  keep: keepDirectory(given.keep),
  judge,
};

const require = createRequire(import.meta.url);
if (judge === null) {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (build.status !== 0) process.exit(build.status ?? 1);
  const flags = given.break === undefined ? '' : ` --break ${given.break}`;
  process.stderr.write(
    `To make this plan again: npm run chaos -- --seed ${seed} --leases ${request.leases} --faults ${request.faults} ` +
      `--minutes ${request.minutes}${flags}\n`,
  );
}
const temporary = mkdtempSync(join(tmpdir(), 'leasehold-chaos-'));
// PostgreSQL runs as another user where this one is root, and must get to what is its own in there.
chmodSync(temporary, 0o711);
const jest = spawn(
  process.execPath,
  [require.resolve('jest/bin/jest'), '--selectProjects', 'chaos', '--testPathPatterns', 'chaos/chaos\\.test', '-i'],
  {
    // A group of its own, with all programs that it starts: who interrupts us means all of them, also those that are stopped.
    detached: true,
    stdio: 'inherit',
    env: { ...process.env, TMPDIR: temporary, LEASEHOLD_CHAOS: JSON.stringify(request) },
  },
);
let interrupted = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    interrupted = true;
    signal(-jest.pid, 'SIGKILL');
  });
}
jest.on('exit', async (status) => {
  if (interrupted) await endServers();
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.exit(interrupted ? 130 : (status ?? 1));
});

/** Servers end by themselves when jest has: those that a fault has stopped must be woken for that. */
async function endServers() {
  for (let left = servers(), tries = 0; left.length > 0 && tries < 50; left = servers(), tries += 1) {
    for (const pid of left) signal(pid, 'SIGCONT');
    await sleep(200);
  }
}

/** Whose files are ours. */
function servers() {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line.includes(temporary))
    .map((line) => Number.parseInt(line, 10));
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
