import { incidentId } from '../../workflows/contract';
import { eventually } from './lab';
import { MEMORY_REQUEST, openMemoryLab } from './memory-lab';
import type { MemoryLab } from './memory-lab';
import { startWebhookReceiver } from './webhook-receiver';
import type { WebhookReceiver } from './webhook-receiver';

/** A lab in memory whose integration, `memory`, has two webhooks. */
export interface IncidentLab extends MemoryLab {
  readonly receiver: WebhookReceiver;
  issue(ttl: string): Promise<string>;
  stateOf(leaseId: string): Promise<string>;
  untilStuck(leaseId: string): Promise<void>;
  /** What the webhook of this format was told. */
  notices(format: 'slack' | 'json'): { readonly kind: string; readonly text: string }[];
  isOpen(): Promise<boolean>;
  /** Waits until the incident is over. */
  untilClosed(): Promise<void>;
  close(): Promise<void>;
}

export async function openIncidentLab(): Promise<IncidentLab> {
  const receiver = await startWebhookReceiver();
  const formats = ['slack', 'json'] as const;
  const webhooks = formats.map((format) => ({ url: `${receiver.url}/${format}`, format }));
  const lab = await openMemoryLab({ alerts: { webhooks } });
  const stateOf = async (leaseId: string): Promise<string> => (await lab.leases.get(leaseId)).state;
  const isOpen = async (): Promise<boolean> => {
    const found = await lab
      .handle(incidentId('memory'))
      .describe()
      .catch(() => null);
    return found !== null && found.closeTime === undefined;
  };
  return {
    ...lab,
    receiver,
    issue: async (ttl) => (await lab.leases.issue({ ...MEMORY_REQUEST, ttl })).leaseId,
    stateOf,
    untilStuck: (leaseId) => eventually(async () => (await stateOf(leaseId)) === 'stuck', `${leaseId} to be stuck`),
    notices: (format) =>
      receiver.received.filter(({ path }) => path === `/${format}`).map(({ body }) => JSON.parse(body) as never),
    isOpen,
    untilClosed: () => eventually(async () => !(await isOpen()), 'the incident to be over', 60_000),
    close: async () => {
      await lab.close();
      await receiver.close();
    },
  };
}

/** A test with a lab to itself, so that it can run beside others of its file. */
export function inIncidentLab(run: (lab: IncidentLab) => Promise<void>): () => Promise<void> {
  return async () => {
    const lab = await openIncidentLab();
    try {
      await run(lab);
    } finally {
      await lab.close();
    }
  };
}
