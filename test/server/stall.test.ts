import { pause, REQUEST, useLab } from '../support/lab';
import type { Lab } from '../support/lab';
import type { WorkerProcess } from '../support/worker-process';

let lab: Lab;
let worker: WorkerProcess;

useLab(
  async (opened) => {
    lab = opened;
    await lab.startWorker(['--workflows-only']);
    worker = await lab.startWorker(['--integrations', 'aws']);
  },
  // A stopped process still holds what its open polls are given. One whose only slot is taken has no open poll.
  { timings: { issue_timeout: '3m' }, limits: { provisions: 1 } },
);

// The calls that a first attempt makes are stopped in the conformance suite.
test('an attempt that is stalled while it adopts what another left, and wakes after its successor delivered, destroys nothing', async () => {
  const stalled = worker;
  let done = false;
  // An earlier key is left behind by an answer that is lost.
  lab.proxy.fault({ operation: 'CreateAccessKey', kind: 'lost-answer' });
  lab.proxy.setOnCall(async (called, phase) => {
    if (done || called !== 'DeleteAccessKey' || phase !== 'after') return;
    done = true;
    stalled.signal('SIGSTOP');
    worker = await lab.startWorker(['--integrations', 'aws']);
  });
  const lease = await lab.leases.issue({ ...REQUEST, ttl: '30m', timeoutMs: 180_000 });
  expect(done).toBe(true);
  const before = lab.proxy.calls.length;
  stalled.signal('SIGCONT');
  // Long enough for whatever the woken attempts still do.
  await pause(2_500);
  const changes = lab.proxy.calls
    .slice(before)
    .filter((call) => /^(Create|Put|Add|Attach|Delete|Tag)/.test(call.operation));
  expect(changes.map((call) => call.operation)).toEqual([]);
  expect(await lab.aws.buckets(lease.credential)).toBe('ok');
  const [user] = await lab.aws.usersLike(lease.leaseId);
  expect(await lab.aws.keys(user!)).toEqual([lease.credential['ACCESS_KEY_ID']]);
  await lease.revoke({ wait: true });
  expect(await lab.aws.usersLike(lease.leaseId)).toEqual([]);
  expect(await stalled.stop()).toBe(0);
}, 200_000);
