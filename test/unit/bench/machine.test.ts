import { tmpdir } from 'node:os';
import { lookAtMachine, notesOn } from '../../../bench/machine';

test('what runs on files in memory is told so, and no other', () => {
  expect(notesOn({ files: 'tmpfs, in memory' })).toEqual([expect.stringContaining('in memory (tmpfs, in memory)')]);
  expect(notesOn({ files: 'ext4' })).toEqual([]);
  expect(notesOn({ files: null })).toEqual([]);
});

test('a machine is told with its file system and the commit as it was when the bench began', async () => {
  const absent = { temporal: 'absent', bao: 'absent' };
  const { files, commit, temporal } = await lookAtMachine(absent, tmpdir(), '0123456789ab');
  expect([commit, temporal]).toEqual(['0123456789ab', null]);
  if (process.platform === 'linux') expect(files).toMatch(/./);
  else expect(files).toBeNull();
});
