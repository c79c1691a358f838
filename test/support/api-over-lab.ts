import type { FastifyInstance } from 'fastify';
import { integrationTypes } from '../../activities/integrations/registry';
import { createApi } from '../../api/api';
import type { Identity } from '../../api/identity/identity';
import { createLeaseService } from '../../client/service';
import type { AuditRecord } from '../../audit/writer';
import { loadConfig } from '../../config/load';
import { createLogger } from '../../telemetry/logger';
import { createMetrics } from '../../telemetry/metrics';
import { deploymentId } from '../../temporal/deployment';
import type { BaseLab } from './base-lab';

/** The HTTP API in this process, beside a lab whose workers are processes of their own. Everybody is an admin. */
export interface ApiOverLab {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly audit: readonly AuditRecord[];
  close(): Promise<void>;
}

const ADMIN: Identity = {
  tokenId: 'token/admin',
  holder: 'token:admin',
  rights: new Set(['read', 'lease', 'revoke-own', 'admin']),
  scopes: [{ project: '*', config: '*' }],
  expiresAt: null,
  secret: null,
};

export async function openApiOverLab({ client, namespace, configFile }: BaseLab): Promise<ApiOverLab> {
  const config = await loadConfig(configFile, integrationTypes);
  const deployment = await deploymentId(client.connection, namespace);
  const audit: AuditRecord[] = [];
  const app: FastifyInstance = await createApi(
    {
      config: () => config,
      leases: createLeaseService({ client, namespace, deployment }),
      client,
      namespace,
      authenticate: async () => ADMIN,
      audit: { write: async (record) => void audit.push(record), close: async () => undefined },
      metrics: createMetrics(),
      logger: createLogger('silent'),
    },
    { tls: null, settings: () => ({ trustProxy: [], requestsPerMinute: 100_000 }) },
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, tokens: {}, audit, close: () => app.close() };
}
