import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { endProcessesAfter } from '../../../../activities/integrations/aws/process-lifetime';

const run = promisify(exec);

test('a process that lasts too long is ended, with what it started, and no other one', async () => {
  const other = run('sleep 1 && echo done');
  // It ends only when nobody can write to its output any more.
  await expect(endProcessesAfter(200, () => run('sh -c "sleep 20; true"; true'))).rejects.toMatchObject({
    signal: 'SIGKILL',
  });
  expect(await other).toMatchObject({ stdout: 'done\n' });
});
