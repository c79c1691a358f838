import type { Client } from '@temporalio/client';
import { integrationTypes } from '../../../activities/integrations/registry';
import { parseConfig } from '../../../config/load';
import { countLeases } from '../../../worker/census';

const CONFIG = `
version: 1
integrations:
  users: { type: aws_iam }
  sessions: { type: aws_sts, timings: { issue_timeout: 60s, consistency_window: 30s } }
projects: {}
`;

/** From which expiry on back each integration's leases are counted as overdue, in seconds ago. */
async function overdueFrom(): Promise<Record<string, number>> {
  const queries: string[] = [];
  const client = {
    withDeadline: (_: number, act: () => Promise<unknown>) => act(),
    workflow: {
      count: async (query: string) => ({ count: queries.push(query) * 0 }),
      list: async function* () {
        // There is none of an integration that the configuration lacks.
      },
    },
  } as unknown as Client;
  await countLeases(client, parseConfig(CONFIG, integrationTypes, 'test.yaml'), integrationTypes);
  const found = queries.flatMap((query) => {
    const [, integration, instant] = /Integration = "(\w+)".* < "([^"]+)"/.exec(query) ?? [];
    return instant === undefined ? [] : [[integration, Math.round((Date.now() - Date.parse(instant)) / 1_000)]];
  });
  return Object.fromEntries(found) as Record<string, number>;
}

test('a lease is overdue a minute after its expiry, and one of what ends by itself a minute after that has ended', async () => {
  const { users, sessions } = await overdueFrom();
  expect(users).toBe(60);
  expect(sessions).toBe(60 + 61 + 30);
});
