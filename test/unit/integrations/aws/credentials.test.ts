import { holdCredentials } from '../../../../activities/integrations/aws/credentials';
import type { Identity } from '../../../../activities/integrations/aws/credential-source';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const SECOND = 1_000;

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
    gives: (accessKeyId: string) => {
      answer = async () => ({ accessKeyId, secretAccessKey: 'x' });
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
});
