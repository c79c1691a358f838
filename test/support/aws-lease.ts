import { setTimeout as sleep } from 'node:timers/promises';
import { awsIam } from '../../activities/integrations/aws-iam/aws-iam';
import { connectAwsIam } from '../../activities/integrations/aws-iam/integration';
import type { AwsIamConnection } from '../../activities/integrations/aws-iam/connection';
import { PACE } from '../../activities/integrations/aws-iam/pace';
import type { Pace } from '../../activities/integrations/aws-iam/pace';
import type { AwsIamParameters } from '../../activities/integrations/aws-iam/parameters';
import type { Attempt, Facts, Integration, Made, Removal } from '../../activities/integrations/integration';
import { randomLeaseId } from '../../client/lease-id';
import type { Handle } from '../../workflows/contract';
import { createFakeFence } from './fake-fence';
import type { FakeFence } from './fake-fence';

/** One lease's dealings with the integration, without a workflow. */
export interface AwsLease {
  readonly leaseId: string;
  readonly userName: string;
  readonly handle: Handle;
  provision(attempt?: AttemptOptions): Promise<Made>;
  extend(expiry: Date, attempt?: AttemptOptions): Promise<void>;
  /** With the facts that its provision told, as a workflow gives them. */
  deprovision(attempt?: AttemptOptions): Promise<Removal>;
}

export interface AttemptOptions {
  readonly fence?: FakeFence;
  /** Milliseconds until the attempt is over. Default 20 s. */
  readonly withinMs?: number;
  readonly parameters?: AwsIamParameters;
  /** Default {@link EXPIRY}: the attempts of one provision all have the same. */
  readonly expiry?: Date;
  /** What removal is told of the lease. Default: what was told when it was provisioned last. */
  readonly facts?: Facts;
}

export interface AwsFixture {
  readonly connection: AwsIamConnection;
  readonly integration: Integration<AwsIamParameters>;
  /** How often the integration asked its rate. */
  throttled(): number;
  lease(parameters?: AwsIamParameters): AwsLease;
  close(): void;
}

export const DEPLOYMENT = 'testdepl';
export const EXPIRY = new Date('2031-02-03T04:05:06.000Z');

/** As patient as the real pace in kind, and faster, but not so fast that a busy machine takes a moment for too long. */
export const QUICK: Pace = {
  ...PACE,
  firstPauseMs: 10,
  longestPauseMs: 80,
  visibleWithinMs: 3_000,
  missingAfterMs: 500,
  refusedAfterMs: 100,
  usableEveryMs: 5,
  reserveMs: 50,
};

/** Right to what the tests try: listing buckets. */
export const LIST_BUCKETS = awsIam.parameters.parse({
  policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:ListAllMyBuckets'], Resource: '*' }] },
  wait_until_usable: false,
});

/** @param settings as in the configuration file; references are looked up in `secrets`. */
export function openAws(settings: object, secrets: Readonly<Record<string, string>>, pace: Pace = QUICK): AwsFixture {
  const connection = awsIam.connection.parse(settings);
  let throttled = 0;
  const integration = connectAwsIam(
    connection,
    {
      resolveReference: (reference) => {
        const value = secrets[reference];
        if (value === undefined) throw new Error(`no ${reference}`);
        return value;
      },
      throttle: async () => {
        throttled += 1;
      },
    },
    pace,
  );
  return {
    connection,
    integration,
    throttled: () => throttled,
    lease: (parameters = LIST_BUCKETS) => openLease(integration, connection, parameters),
    close: () => {
      integration.close();
    },
  };
}

function openLease(
  integration: Integration<AwsIamParameters>,
  connection: AwsIamConnection,
  parameters: AwsIamParameters,
): AwsLease {
  const leaseId = randomLeaseId();
  const context = { leaseId, deployment: DEPLOYMENT, integration: 'aws', ttlMs: 3_600_000, issueTimeoutMs: 60_000 };
  const { entity, handle } = awsIam.plan(context, connection, parameters);
  let told: Facts | undefined;
  const attempt = (options: AttemptOptions): Attempt => ({
    leaseId,
    deployment: DEPLOYMENT,
    fence: options.fence ?? createFakeFence(),
    deadline: new Date(Date.now() + (options.withinMs ?? 20_000)),
  });
  return {
    leaseId,
    userName: entity,
    handle,
    provision: async (options = {}) => {
      const { parameters: wanted = parameters, expiry = EXPIRY } = options;
      const made = await integration.provision(handle, wanted, expiry, attempt(options));
      told = made.facts;
      return made;
    },
    extend: (expiry, options = {}) => integration.extend(handle, expiry, attempt(options)),
    deprovision: (options = {}) => integration.deprovision(handle, attempt(options), options.facts ?? told),
  };
}

/** Waits until a condition holds, for at most five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !condition();) {
    if (Date.now() > end) throw new Error('waited in vain');
    await sleep(5);
  }
}
