import { revokeBulk } from '../../../../cli/leases/bulk';
import type { BulkOptions } from '../../../../cli/leases/bulk';
import { LeaseError } from '../../../../client/http';
import type { BulkRevocation } from '../../../../client/http';
import { captureOutput } from '../../../support/captured-output';

const REQUEST = { holder: 'token:ci', reason: 'leaver' };
const RUNNING: BulkRevocation = {
  id: 'r1',
  state: 'running',
  filter: { holder: 'token:ci' },
  by: 'token:ada',
  reason: 'leaver',
  requestedAt: new Date('2030-01-01T00:00:00Z'),
  endedAt: null,
  blockId: 'b1',
  remark: null,
  rounds: 1,
  matched: 2,
  signalled: 2,
  left: 1,
  stillRemoving: 0,
};
const WAITING: BulkOptions = { waitMs: Infinity, total: 2, json: undefined };

const output = captureOutput();

/** Leases whose revocation looks so, from one look to the next; the last one for ever. */
function showing(...looks: readonly (Partial<BulkRevocation> | Error)[]): Parameters<typeof revokeBulk>[0] {
  const left = [...looks];
  return {
    revokeMany: async () => RUNNING,
    revocation: async () => {
      const look = left.length > 1 ? left.shift() : left[0];
      if (look instanceof Error) throw look;
      return { ...RUNNING, ...look };
    },
  };
}

test.each([
  ['done', {}, 0, /^No lease of holder token:ci is left/, /^Block b1 stays: .* leasehold blocks lift b1\n$/m],
  ['done', { remark: 'No block:\u001b[31m full.', blockId: null }, 1, /is done/, /No block:\\u\{1b\}\[31m full\./],
  ['incomplete', { left: 2 }, 1, /^2 leases of holder token:ci did not react/, /b1 stays/],
  ['stopped', {}, 1, /ended by hand in Temporal/, /b1 stays/],
] as const)('one that is %s %j ends with %i', async (state, facts, code, printed, told) => {
  expect(await revokeBulk(showing({ state, ...facts }), REQUEST, WAITING)).toBe(code);
  expect(output.stdout).toMatch(printed);
  expect(output.stderr).toMatch(told);
});

test('one that is not waited for goes on, and one that takes too long does too', async () => {
  expect(await revokeBulk(showing({}), REQUEST, { ...WAITING, waitMs: null })).toBe(0);
  expect(await revokeBulk(showing({}), REQUEST, { ...WAITING, waitMs: 1 })).toBe(6);
  expect(output.stderr.match(/It goes on by itself: leasehold leases revocations r1\n/g)).toHaveLength(2);
});

test('an API that is away for a moment is asked on, and one that refuses is not', async () => {
  const away = new LeaseError('Unavailable', 'Away.');
  expect(await revokeBulk(showing(away, { state: 'done' }), REQUEST, WAITING)).toBe(0);
  const refusing = revokeBulk(showing(new LeaseError('Forbidden', 'No.')), REQUEST, WAITING);
  await expect(refusing).rejects.toMatchObject({
    code: 'Forbidden',
    message: 'No. The revocation goes on: leasehold leases revocations r1',
  });
});

test('what is called off is told to go on', async () => {
  const ended = revokeBulk(showing({}), REQUEST, { ...WAITING, json: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.emit('SIGINT', 'SIGINT');
  expect(await ended).toBe(130);
  expect(JSON.parse(output.stdout)).toMatchObject({ id: 'r1', state: 'running', still_removing: 0 });
});
