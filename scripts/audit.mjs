// Asks the registry, by `npm audit`, for advisories about what is shipped: the dependencies and the optional peers, in the versions of
// the lock file. Fails on high and critical ones and tells the others. A registry that cannot be asked fails nothing, and is told.
// What need not fail stands in scripts/audit-exceptions.json, or the file that is named: advisory, reason, and the last day of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A version with a critical advisory (CVE-2021-44906), asked about with the rest: a registry that has nothing to say of it knows none. */
const CANARY = { at: 'audit-canary', name: 'minimist', version: '0.0.8' };
const HARMLESS = ['info', 'low', 'moderate'];
/** A registry that hangs must not hold up CI. */
const WITHIN_MS = 45_000;
const FLAGS = ['--package-lock-only', '--omit=dev', '--json', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];

const [exceptionsFile = 'scripts/audit-exceptions.json'] = process.argv.slice(2);
process.exitCode = main();

function main() {
  const exceptions = readExceptions();
  if (typeof exceptions === 'string') {
    console.error(`audit: ${exceptionsFile} ${exceptions}`);
    return 2;
  }
  const answer = ask();
  if (typeof answer === 'string') {
    console.warn(`audit: THE REGISTRY COULD NOT BE ASKED for advisories, so that nothing is known of any: ${answer}`);
    return 0;
  }
  return judge(answer, exceptions);
}

/** Answers npm's report, or why there is none. */
function ask() {
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-audit-'));
  try {
    writeShipped(directory);
    const { stdout, error } = spawnSync('npm', ['audit', ...FLAGS], {
      cwd: directory,
      encoding: 'utf8',
      timeout: WITHIN_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) return `npm did not answer (${error.code ?? error.message}).`;
    return readReport(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The peers become dependencies, and what only development needs is left out. The root of the lock file stays: npm sees that it differs. */
function writeShipped(directory) {
  const { name, version, dependencies, peerDependencies, overrides } = JSON.parse(readFileSync('package.json', 'utf8'));
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const canary = { [CANARY.at]: `npm:${CANARY.name}@${CANARY.version}` };
  const manifest = { name, version, dependencies: { ...peerDependencies, ...dependencies, ...canary }, overrides };
  lock.packages[`node_modules/${CANARY.at}`] = { name: CANARY.name, version: CANARY.version };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lock));
}

function readReport(stdout) {
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return 'npm answered what is no JSON.';
  }
  const { vulnerabilities, message, error } = report ?? {};
  if (typeof vulnerabilities !== 'object' || vulnerabilities === null) {
    return String(message ?? error?.summary ?? 'npm gave no reason').split('\n')[0];
  }
  const isAwake = vulnerabilities[CANARY.name]?.nodes?.includes(`node_modules/${CANARY.at}`) === true;
  if (!isAwake) return `it knows of no advisory about ${CANARY.name}@${CANARY.version}, which has a critical one.`;
  return vulnerabilities;
}

function judge(vulnerabilities, exceptions) {
  const today = new Date().toISOString().slice(0, 10);
  let failing = 0;
  let told = 0;
  for (const { advisory, severity, line } of advisoriesOf(vulnerabilities)) {
    const exception = exceptions.find((each) => each.advisory === advisory);
    const isExcepted = exception !== undefined && exception.until >= today;
    const isFailing = !HARMLESS.includes(severity) && !isExcepted;
    if (isFailing) failing += 1;
    else told += 1;
    const because = exception === undefined ? '' : ` [excepted until ${exception.until}: ${exception.reason}]`;
    (isFailing ? console.error : console.warn)(`audit: ${line}${because}`);
  }
  console.log(`audit: ${failing} high or critical, ${told} other advisories about what is shipped.`);
  return failing === 0 ? 0 : 1;
}

/** Each once. Packages that are vulnerable by another one alone name that one instead of an advisory. */
function advisoriesOf(vulnerabilities) {
  const found = new Map();
  for (const { nodes, via } of Object.values(vulnerabilities)) {
    if (nodes.every((node) => node === `node_modules/${CANARY.at}`)) continue;
    for (const each of via) {
      if (typeof each !== 'object') continue;
      const { name, severity, title, url, range } = each;
      const advisory = String(url).split('/').at(-1);
      found.set(`${advisory} ${name}`, {
        advisory,
        severity,
        line: `${severity}: ${name} ${range}: ${title} (${url})`,
      });
    }
  }
  return [...found.values()];
}

/** Answers the exceptions, or what is wrong with their file. */
function readExceptions() {
  let list;
  try {
    list = JSON.parse(readFileSync(exceptionsFile, 'utf8'));
  } catch {
    return 'cannot be read as JSON.';
  }
  const isWhole = ({ advisory, reason, until }) =>
    /^GHSA(-[a-z0-9]{4}){3}$/.test(advisory) && /\S/.test(reason ?? '') && /^\d{4}-\d{2}-\d{2}$/.test(until);
  if (Array.isArray(list) && list.every((each) => typeof each === 'object' && each !== null && isWhole(each)))
    return list;
  return 'must be a list of {"advisory": "GHSA-xxxx-xxxx-xxxx", "reason": "why it does not concern us", "until": "2027-01-31"}.';
}
