import type { Client } from '@temporalio/client';
import type { Logger } from '../telemetry/logger';
import { surveyRouting } from '../temporal/pollers';
import { CALL_TIMEOUT_MS, grpcStatusOf } from '../temporal/service';
import type { TemporalService } from '../temporal/service';
import { absent, commandFor, includes, isUnused, nameOf } from '../temporal/versions';
import type { Kind } from '../temporal/versions';

/**
 * Looks whether this process gets tasks of workflows, and says what to do if Temporal gives them to workers of another version that
 * are not there, or none to this one yet. A version that was replaced by one that works is no news.
 * @param own what this process is.
 */
export async function watchVersion(client: Client, namespace: string, own: Kind, logger: Logger): Promise<void> {
  const { connection } = client;
  await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
    const routing = await surveyRouting(connection, namespace);
    // This process is there, whether it has asked already or not.
    const missing = absent(routing).filter((kind) => !includes([own], kind));
    const isAsked = includes(routing.to, own);
    const [first = null] = missing;
    if (missing.length > 0) {
      const command = isAsked ? null : commandFor(own, first, namespace);
      logger.error(
        { own: nameOf(own), missing: missing.map(nameOf), command },
        `Temporal gives leases to ${missing.map(nameOf).join(' and to ')}, of which no worker runs: they neither begin nor end. Start one${command === null ? '' : `, or have them come to this worker, ${nameOf(own)}: ${command}`}`,
      );
    } else if (!isAsked && (await isWaiting(connection, namespace, own))) {
      const [now = null] = routing.to;
      const command = commandFor(own, now, namespace);
      logger.warn(
        { own: nameOf(own), current: nameOf(now), command },
        `This worker, ${nameOf(own)}, gets no leases: Temporal gives them to ${nameOf(now)}. To have them come here: ${command}`,
      );
    }
  });
}

/** One that nobody has turned to yet. The unversioned ones are no version, so Temporal does not say what they were. */
async function isWaiting(service: TemporalService, namespace: string, own: Kind): Promise<boolean> {
  if (own === null) return true;
  try {
    return await isUnused(service, namespace, own);
  } catch (error) {
    // It is made when its first worker asks for a task.
    if (grpcStatusOf(error) === 'notFound') return true;
    throw error;
  }
}
