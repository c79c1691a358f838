import { holdCredentials } from '../../../../activities/integrations/aws/credentials';
import type { Identity } from '../../../../activities/integrations/aws/credential-source';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const CANARY = 'a-command-line-with-a-secret';

/** A source that does as the test says, and how often it was asked. */
function openSource() {
  let answer: () => Promise<Identity>;
  let asked = 0;
  const credentials = holdCredentials(() => {
    asked += 1;
    return answer();
  });
  return {
    ...credentials,
    asked: () => asked,
    keyId: async () => (await credentials.provide()).accessKeyId,
    gives: (accessKeyId: string, more: Partial<Identity> = {}) => {
      answer = async () => ({ accessKeyId, secretAccessKey: 'x', ...more });
    },
    fails: () => {
      answer = () => Promise.reject(Object.assign(new Error(CANARY), { name: 'CredentialsProviderError' }));
    },
    /** @returns how to let it answer in the end. */
    hangs: () => {
      let wake: (identity: Identity) => void;
      answer = () => new Promise((resolve) => (wake = resolve));
      return (accessKeyId: string) => {
        wake({ accessKeyId, secretAccessKey: 'x' });
      };
    },
  };
}

const sessionOf = (ms: number) => ({ sessionToken: 'x', expiration: new Date(Date.now() + ms) });

/** What the call fails with, after so many milliseconds. */
async function failureOf(call: Promise<unknown>, afterMs = 0): Promise<Error> {
  const failed = call.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as Error,
  );
  await jest.advanceTimersByTimeAsync(afterMs);
  return failed;
}

describe('a source of credentials that hangs', () => {
  test('fails the calls that wait for it after ten seconds, and is asked anew by the next one', async () => {
    const source = openSource();
    source.hangs();
    const others = [source.keyId(), source.keyId()].map((call) => failureOf(call));
    const failure = await failureOf(source.keyId(), 10 * SECOND);
    expect(failure).toMatchObject({ type: 'Unavailable' });
    expect(failure.message).toContain("The source of the orchestrator's credentials did not answer in time.");
    expect(await Promise.all(others)).toEqual([failure, failure]);
    source.gives('KEY');
    expect(await source.keyId()).toBe('KEY');
    expect(source.asked()).toBe(2);
  });

  test('and answers when nobody waits any more is believed', async () => {
    const source = openSource();
    const answer = source.hangs();
    await failureOf(source.keyId(), 10 * SECOND);
    answer('LATE');
    await jest.advanceTimersByTimeAsync(0);
    expect(await source.keyId()).toBe('LATE');
    expect(source.asked()).toBe(1);
  });

  test('and answers after one that was asked later is not believed', async () => {
    const source = openSource();
    const answer = source.hangs();
    await failureOf(source.keyId(), 10 * SECOND);
    source.gives('NEW');
    expect(await source.keyId()).toBe('NEW');
    answer('OLD');
    await jest.advanceTimersByTimeAsync(0);
    expect(await source.keyId()).toBe('NEW');
  });

  test('keeps no call waiting as long as the session that is held is good', async () => {
    const source = openSource();
    source.gives('KEY', sessionOf(6 * MINUTE));
    await source.keyId();
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    source.hangs();
    expect(await source.keyId()).toBe('KEY');
    expect(source.asked()).toBe(2);
  });
});

describe('a session whose renewal fails', () => {
  test('is used until a minute before its end, while its source is asked again every few seconds', async () => {
    const source = openSource();
    source.gives('OLD', sessionOf(6 * MINUTE));
    await source.keyId();
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    source.fails();
    for (let call = 0; call < 3; call += 1) expect(await source.keyId()).toBe('OLD');
    await jest.advanceTimersByTimeAsync(0);
    expect(source.asked()).toBe(2);
    await jest.advanceTimersByTimeAsync(3 * MINUTE - SECOND);
    expect(await source.keyId()).toBe('OLD');
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(source.asked()).toBe(3);
    expect(await failureOf(source.keyId())).toMatchObject({ type: 'Unavailable' });
    source.gives('NEW', sessionOf(60 * MINUTE));
    expect(await source.keyId()).toBe('NEW');
  });

  test('is replaced as soon as its source is back', async () => {
    const source = openSource();
    source.gives('OLD', sessionOf(6 * MINUTE));
    await source.keyId();
    await jest.advanceTimersByTimeAsync(2 * MINUTE);
    source.fails();
    await source.keyId();
    source.gives('NEW', sessionOf(60 * MINUTE));
    await jest.advanceTimersByTimeAsync(5 * SECOND);
    await source.keyId();
    expect(await source.keyId()).toBe('NEW');
  });
});

describe('a source that gives no credentials', () => {
  test('is a refusal when it never gave any, and out of order when it did, in our own words', async () => {
    const source = openSource();
    source.fails();
    const never = await failureOf(source.keyId());
    expect(never).toMatchObject({ type: 'Refused' });
    source.gives('KEY');
    await source.keyId();
    source.forget();
    source.fails();
    const anyMore = await failureOf(source.keyId());
    expect(anyMore).toMatchObject({ type: 'Unavailable' });
    for (const { message, stack } of [never, anyMore]) expect(message + stack!).not.toContain(CANARY);
  });
});

describe('credentials that were denied something', () => {
  test('are replaced if they are of a session, though not more than once a minute', async () => {
    const source = openSource();
    source.gives('OLD', sessionOf(60 * MINUTE));
    await source.keyId();
    await jest.advanceTimersByTimeAsync(61 * SECOND);
    source.gives('NEW', sessionOf(60 * MINUTE));
    for (let denied = 0; denied < 3; denied += 1) source.doubt();
    await jest.advanceTimersByTimeAsync(0);
    expect(await source.keyId()).toBe('NEW');
    await jest.advanceTimersByTimeAsync(59 * SECOND);
    source.doubt();
    expect(source.asked()).toBe(2);
    await jest.advanceTimersByTimeAsync(SECOND);
    source.doubt();
    expect(source.asked()).toBe(3);
  });

  test('are used until there are others', async () => {
    const source = openSource();
    source.gives('OLD', sessionOf(60 * MINUTE));
    await source.keyId();
    await jest.advanceTimersByTimeAsync(61 * SECOND);
    source.fails();
    source.doubt();
    await jest.advanceTimersByTimeAsync(0);
    expect(await source.keyId()).toBe('OLD');
  });

  test("are kept if they are a user's key, which nobody revokes in this way", async () => {
    const source = openSource();
    source.gives('KEY', { expiration: new Date(Date.now() + 60 * MINUTE) });
    await source.keyId();
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    source.doubt();
    expect(source.asked()).toBe(1);
  });
});
