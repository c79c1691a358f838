import type { Identity } from '../../../../activities/integrations/aws/credential-source';
import { sendChange, sendRead } from '../../../../activities/integrations/aws/send';
import type { SendContext } from '../../../../activities/integrations/aws/send';
import { createFakeFence } from '../../../support/fake-fence';

const KEY: Identity = { accessKeyId: 'KEY', secretAccessKey: 'x' };
const subject = { operation: 'DeleteUser' };
const over = new Error('the attempt is over');

/** @param provide as the client asks for them, too. */
function openContext(provide: () => Promise<Identity>) {
  const told: string[] = [];
  const context: SendContext = {
    throttle: async () => undefined,
    credentials: { provide, forget: () => told.push('refused'), doubt: () => told.push('denied') },
  };
  return { context, told };
}

const never = () => new Promise<never>(() => undefined);

test('a read does not wait for credentials beyond its attempt', async () => {
  const { context } = openContext(never);
  const attempt = new AbortController();
  const read = sendRead(context, attempt.signal, subject, () => context.credentials.provide());
  await new Promise(setImmediate);
  attempt.abort(over);
  await expect(read).rejects.toBe(over);
});

test('a change does not wait for credentials beyond its attempt, and lets nothing pass the fence', async () => {
  const { context } = openContext(never);
  const fence = createFakeFence();
  const change = sendChange(context, fence, subject, () => context.credentials.provide());
  await new Promise(setImmediate);
  fence.abort(over);
  await expect(change).rejects.toBe(over);
  expect(fence.passed).toEqual([]);
});

test('a change asks the fence only when its credentials are there', async () => {
  let arrive: (identity: Identity) => void = () => undefined;
  const { context } = openContext(() => new Promise((resolve) => (arrive = resolve)));
  const fence = createFakeFence();
  const change = sendChange(context, fence, subject, async () => 'sent');
  await new Promise(setImmediate);
  expect(fence.passed).toEqual([]);
  arrive(KEY);
  expect(await change).toBe('sent');
  expect(fence.passed).toEqual(['DeleteUser']);
});

test.each([
  ['AccessDenied', 'denied'],
  ['AccessDeniedException', 'denied'],
  ['ExpiredToken', 'refused'],
])('the credentials of a call that AWS answers with %s are told that they were %s', async (name, expected) => {
  const { context, told } = openContext(async () => KEY);
  const fail = () => Promise.reject(Object.assign(new Error(), { name, $metadata: { httpStatusCode: 403 } }));
  const fence = createFakeFence();
  await expect(sendRead(context, fence.signal, subject, fail)).rejects.toMatchObject({ type: 'Refused' });
  await expect(sendChange(context, fence, subject, fail)).rejects.toMatchObject({ type: 'Refused' });
  expect(told).toEqual([expected, expected]);
});
