import { lookAtProcesses, parseStat } from '../../../dev/proc';

const STAT =
  '4242 (odd) name (x) S 1 4200 4200 0 -1 4194560 9000 0 12 0 250 150 7 3 20 0 11 0 123 1000000 2000 18446744073709551615';

test('what a process is and used is found behind a name that holds brackets', () => {
  expect(parseStat(STAT)).toEqual({
    pid: 4_242,
    parent: 1,
    group: 4_200,
    isOver: false,
    cpuSeconds: 4,
    endedChildrenCpuSeconds: 0.1,
  });
});

test('a process that has ended is told by its state', () => {
  expect(parseStat(STAT.replace(' S 1 ', ' Z 1 '))).toMatchObject({ isOver: true });
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('of all processes only those are told that are asked for', async () => {
  const own = await lookAtProcesses(({ pid, parent }) => Promise.resolve(pid === process.pid ? { parent } : null));
  expect(own).toEqual([{ parent: process.ppid }]);
});

onLinux('what ends while it is looked at is left out, and any other failure is told', async () => {
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
  expect(await lookAtProcesses(failing('ESRCH'))).toEqual([]);
  await expect(lookAtProcesses(failing('EACCES'))).rejects.toThrow('EACCES');
});
