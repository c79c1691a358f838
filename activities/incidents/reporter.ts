import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { INCIDENT_WORKFLOW, incidentId, report, WORKFLOW_QUEUE } from '../../workflows/contract';
import type { IncidentInput } from '../../workflows/contract';

/** Tells an integration's incident of removals that fail, and opens it if there is none. */
export interface Reporter {
  /** Resolves once the incident has been told, by a signal that was sent after this call. */
  reportStuck(integration: string): Promise<void>;
  /** A hint that may get lost: each stuck lease reports itself as well. */
  hint(integration: string): void;
}

/** A thousand leases that get stuck in one second are told of in one signal. */
const GATHER_MS = 1_000;
const HINT_EVERY_MS = 60_000;

export function createReporter(client: Client): Reporter {
  const gathering = new Map<string, Promise<void>>();
  const hinted = new Map<string, number>();

  const send = async (integration: string): Promise<void> => {
    await client.workflow.signalWithStart(INCIDENT_WORKFLOW, {
      workflowId: incidentId(integration),
      taskQueue: WORKFLOW_QUEUE,
      args: [{ integration } satisfies IncidentInput],
      signal: report,
      staticSummary: `removals of ${integration} fail`,
    });
  };

  return {
    reportStuck: (integration) => {
      const shared = gathering.get(integration);
      if (shared !== undefined) return shared;
      const sent = sleep(GATHER_MS).then(() => {
        // Who reports from here on may have become stuck after the signal left.
        gathering.delete(integration);
        return send(integration);
      });
      gathering.set(integration, sent);
      return sent;
    },
    hint: (integration) => {
      const now = performance.now();
      if (now - (hinted.get(integration) ?? -HINT_EVERY_MS) < HINT_EVERY_MS) return;
      hinted.set(integration, now);
      // Not told is not lost: see above. The next failure after a minute hints again.
      send(integration).catch(() => undefined);
    },
  };
}
