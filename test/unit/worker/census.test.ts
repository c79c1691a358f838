import type { Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { integrationTypes } from '../../../activities/integrations/registry';
import { parseConfig } from '../../../config/load';
import type { LeaseCount } from '../../../telemetry/metrics';
import { countLeases } from '../../../worker/census';
import { ATTRIBUTES } from '../../../workflows/contract';

const CONFIG = `
version: 1
integrations:
  users: { type: aws_iam }
  sessions: { type: aws_sts, timings: { issue_timeout: 60s, consistency_window: 30s } }
projects: {}
`;

interface Asked {
  readonly counts: readonly LeaseCount[];
  readonly counted: readonly string[];
  readonly listed: readonly string[];
}

/** What is counted where Temporal's index has these live leases of integrations that the configuration lacks, and what it was asked. */
async function census(strays: readonly string[] = []): Promise<Asked> {
  const counted: string[] = [];
  const listed: string[] = [];
  const client = {
    withDeadline: (_: number, act: () => Promise<unknown>) => act(),
    workflow: {
      count: async (query: string) => ({ count: counted.push(query) * 0 }),
      list: async function* ({ query }: { readonly query: string }) {
        listed.push(query);
        for (const integration of strays) yield leaseOf(integration);
      },
    },
  } as unknown as Client;
  const config = parseConfig(CONFIG, integrationTypes, 'test.yaml');
  return { counts: await countLeases(client, config, integrationTypes), counted, listed };
}

/** As a listing tells it. */
function leaseOf(integration: string): unknown {
  return {
    workflowId: 'lease',
    runId: 'run',
    status: { name: 'RUNNING' },
    startTime: new Date(),
    typedSearchAttributes: new TypedSearchAttributes([{ key: ATTRIBUTES.integration, value: integration }]),
  };
}

/** From which expiry on back each integration's leases are counted as overdue, in seconds ago. */
async function overdueFrom(): Promise<Record<string, number>> {
  const { counted } = await census();
  const found = counted.flatMap((query) => {
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

test('a lease that is stuck is overdue whatever its expiry', async () => {
  const { counted } = await census();
  const overdue = counted.filter((query) => query.includes(' < "'));
  expect(overdue).toHaveLength(2);
  for (const query of overdue) expect(query).toMatch(/ AND \(LeaseExpiresAt < "[^"]+" OR LeaseState = "stuck"\)$/);
});

describe('leases of integrations that have left the configuration', () => {
  const missing = ({ counts }: Asked) =>
    counts.filter(({ integration }) => !['users', 'sessions'].includes(integration));

  test('are all overdue, each under the name of its integration', async () => {
    const asked = await census(['gone', 'lost', 'gone']);
    expect(missing(asked)).toEqual([
      { integration: 'gone', state: 'overdue', count: 2 },
      { integration: 'lost', state: 'overdue', count: 1 },
    ]);
    expect(asked.listed).toHaveLength(1);
    expect(asked.listed[0]).toContain('CloseTime IS NULL');
    for (const name of ['users', 'sessions']) expect(asked.listed[0]).toContain(`LeaseIntegration != "${name}"`);
    expect(missing(await census())).toEqual([]);
  });

  test('are told of ten names at most, out of a thousand leases', async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => (index < 500 ? `gone-${String(index % 20)}` : 'gone-0'));
    const found = missing(await census(names));
    expect(found.map(({ integration }) => integration)).toEqual(names.slice(0, 10));
    expect(found[0]!.count).toBe(25 + 500);
  });
});
