import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseResident, usageOf } from '../../../bench/usage';

test('memory is found in a status, and is none in that of a process that has ended', () => {
  expect(parseResident('Name:\tnode\nVmHWM:\t  200 kB\nVmRSS:\t  1234 kB\n')).toBe(1_234);
  expect(parseResident('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0);
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a group counts with all its processes', async () => {
  const script = 'node -e "const a = Buffer.alloc(64e6, 1); setInterval(() => a, 1000); console.log(1)" & wait';
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(shell, 'exit');
  try {
    await once(shell.stdout, 'data');
    const { residentMb, cpuSeconds, handles } = await usageOf(shell.pid!);
    expect(residentMb).toBeGreaterThan(61);
    // Not of everything that runs here.
    expect(residentMb).toBeLessThan(300);
    expect(cpuSeconds).toBeGreaterThan(0);
    // Of the shell and of Node.
    expect(handles).toBeGreaterThan(6);
  } finally {
    process.kill(-shell.pid!, 'SIGKILL');
    await ended;
  }
});

onLinux('of a group that is no more nothing is told', async () => {
  const shell = spawn('/bin/sh', ['-c', 'exit 0'], { detached: true, stdio: 'ignore' });
  await once(shell, 'exit');
  await expect(usageOf(shell.pid!)).rejects.toThrow('the program has ended');
});
