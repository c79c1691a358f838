import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

const DIST = join(__dirname, '../../dist');
const SECRET = 'CANARYOFLASTWORDSxyz0123456789';
const FULL = '/dev/full';
const whereFull = existsSync(FULL) ? test : test.skip;

/** Runs a process that logs as ours do, and this. */
function run(script: string, stdout: number | 'pipe' = 'pipe'): { status: number | null; output: string } {
  const begin = `
    const logger = require('./telemetry/logger.js').createLogger('info');
    require('./telemetry/uncaught.js').endWhenUncaught(logger, 'It has failed.');
  `;
  const ended = spawnSync(process.execPath, ['-e', begin + script], {
    cwd: DIST,
    timeout: 20_000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', stdout, 'pipe'],
  });
  return { status: ended.status, output: `${String(ended.stdout)}${String(ended.stderr)}` };
}

test.each([
  ['an error', `throw new Error('${SECRET}')`],
  [
    'an error whose name cannot be read',
    `throw Object.defineProperty(new Error('a'), 'name', { get() { throw new Error('${SECRET}'); } })`,
  ],
  ['no error', 'throw null'],
  ['a promise', `Promise.reject(new Error('${SECRET}'))`],
  ['a thread', `new (require('node:worker_threads').Worker)('throw new Error("${SECRET}")', { eval: true })`],
  ['an error at the end of all', `process.on('exit', () => { logger.info('exit'); }); throw new Error('${SECRET}')`],
])('a process ends with code 1 and says nothing secret when %s reaches nobody', (_, script) => {
  const { status, output } = run(`setTimeout(() => { ${script}; }, 20); setInterval(() => undefined, 1_000);`);
  expect(status).toBe(1);
  expect(output).not.toContain(SECRET);
});

test('what the system calls the error is told', () => {
  const { output } = run(`require('node:net').connect(1, '127.0.0.1')`);
  expect(output).toContain('"type":"Error","code":"ECONNREFUSED","at":[');
  expect(output).toContain('"message":"It has failed."');
});

whereFull('a process whose log cannot be written goes on, and ends when it is to', () => {
  const full = openSync(FULL, 'w');
  const goOn = `for (const each of [1, 2, 3]) logger.info(each); setTimeout(() => { console.error('went on'); logger.info(4); logger.info(5);`;
  const deeds = { 'process.exit(0)': 0, 'throw new Error("a")': 1 };
  for (const [deed, code] of Object.entries(deeds)) {
    expect(run(`${goOn} ${deed}; }, 200)`, full)).toMatchObject({
      status: code,
      output: expect.stringContaining('went on') as string,
    });
  }
  closeSync(full);
});
