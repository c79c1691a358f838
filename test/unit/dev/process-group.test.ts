import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isRunning, signalGroup, untilGone } from '../../../dev/process-group';

test('a group runs as long as one of its processes does, whoever began it', async () => {
  const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo begun'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const group = shell.pid!;
  await once(shell, 'exit');
  expect(await isRunning(group)).toBe(true);
  signalGroup(group, 'SIGKILL');
  await untilGone(group);
  expect(await isRunning(group)).toBe(false);
});

test('a signal to a group that is no more does nothing', async () => {
  const shell = spawn('/bin/sh', ['-c', 'exit 0'], { detached: true, stdio: 'ignore' });
  await once(shell, 'exit');
  signalGroup(shell.pid!, 'SIGKILL');
  expect(await isRunning(shell.pid!)).toBe(false);
});
