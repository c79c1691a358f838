import { createActivities } from '../../activities';
import type { Activities } from '../../activities';
import type { AuditRecord } from '../../audit/writer';
import { createLogger } from '../../telemetry/logger';
import { createMetrics } from '../../telemetry/metrics';
import type { MemoryLab } from './memory-lab';

/** The lab's activities without a worker, to be called one by one and closed by the test. Their audit lines go to `lines`. */
export function memoryActivities(lab: MemoryLab, lines: AuditRecord[], deployment = lab.deployment): Activities {
  return createActivities({
    config: lab.parse(),
    types: { memory: lab.provider.type },
    deployment,
    client: lab.client,
    namespace: lab.namespace,
    identity: 'test',
    audit: { write: async (line) => void lines.push(line), close: async () => undefined },
    metrics: createMetrics(),
    logger: createLogger('silent'),
  });
}
