import { disownLease } from '../../../client/disown';
import { keepVerified } from '../../../client/identity';
import { ISSUED_TO_MEMO } from '../../../client/look';
import type { Disowned } from '../../../client/service';
import type { Session } from '../../../client/session';
import { generateRecipient, thumbprint } from '../../../sealing/recipient';
import type { RecipientJwk } from '../../../workflows/contract';

let mine: RecipientJwk;
let another: RecipientJwk;

beforeAll(async () => {
  mine = (await generateRecipient()).publicJwk;
  another = (await generateRecipient()).publicJwk;
});

/** An active lease, and what it and the server are asked. */
function lease({ issuedTo, memo }: { readonly issuedTo: string; readonly memo: Readonly<Record<string, unknown>> }) {
  const asked = { looks: 0, queries: 0, signals: [] as unknown[] };
  let endedBy: string | null = null;
  const handle = {
    describe: async () => {
      asked.looks += 1;
      return {
        type: 'lease',
        runId: 'run',
        workflowId: 'lease',
        status: { name: 'RUNNING' },
        typedSearchAttributes: { get: ({ name }: { name: string }) => (name === 'LeaseState' ? 'active' : undefined) },
        memo,
      };
    },
    signal: async (_: unknown, input: { readonly by: string; readonly ifIssuedTo: string }) => {
      asked.signals.push(input);
      if (input.ifIssuedTo === issuedTo) endedBy = input.by;
    },
    query: async () => {
      asked.queries += 1;
      return { endedBy, state: 'active' };
    },
  };
  const client = {
    withDeadline: (_: unknown, call: () => unknown) => call(),
    workflow: { getHandle: () => handle },
  };
  const session = { client, namespace: 'test', deployment: 'abcdefgh', keptName: keepVerified } as unknown as Session;
  const disown = (recipientJwk: RecipientJwk, shared = false): Promise<Disowned> =>
    disownLease(session, {
      project: 'backend',
      config: 'prd',
      dynamicSecret: 'TOKEN',
      holder: 'token:ci',
      idempotencyKey: 'export',
      recipientJwk,
      shared,
    });
  return { asked, disown };
}

test('a lease whose start names another key is left alone, and does not hear of it', async () => {
  const issuedTo = await thumbprint(mine);
  const { asked, disown } = lease({ issuedTo, memo: { [ISSUED_TO_MEMO]: issuedTo } });
  expect(await disown(another)).toMatchObject({ undelivered: 'left alone' });
  expect(asked).toEqual({ looks: 1, queries: 0, signals: [] });
});

test.each([
  ['names its key', true],
  ['was made by a release that did not say so', false],
])('a lease whose start %s is given up by who has that key, and by nobody else', async (_, isNamed) => {
  const issuedTo = await thumbprint(mine);
  const { asked, disown } = lease({ issuedTo, memo: isNamed ? { [ISSUED_TO_MEMO]: issuedTo } : {} });
  expect(await disown(another)).toMatchObject({ undelivered: 'left alone' });
  expect(await disown(mine)).toMatchObject({ undelivered: 'revoke accepted' });
  expect(asked.signals.at(-1)).toEqual({ by: 'token:ci', reason: 'undelivered', ifIssuedTo: issuedTo });
});

test('of a lease whose credential others may have the server is asked a few times, its worker once, and it is told nothing', async () => {
  const issuedTo = await thumbprint(mine);
  const { asked, disown } = lease({ issuedTo, memo: { [ISSUED_TO_MEMO]: issuedTo } });
  expect(await disown(mine, true)).toMatchObject({ undelivered: 'left alone' });
  expect(asked.looks).toBeLessThanOrEqual(5);
  expect(asked).toMatchObject({ queries: 1, signals: [] });
});
