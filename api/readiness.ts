import { z } from 'zod';
import type { Config } from '../config/load';
import { TemporalError } from '../temporal/connection';
import { explainUnserved, surveyWorkforce } from '../temporal/pollers';
import { checkSearchAttributes, MissingSearchAttributes } from '../temporal/search-attributes';
import type { ApiDeps } from './deps';

/** Names only: anybody may read it. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  problems: z.array(z.string()).describe('What is missing, in sentences.'),
  config: z.string().describe('Hash of the configuration that this process runs.'),
  temporal: z.enum(['ok', 'unreachable', 'incomplete']),
  queues: z.array(z.object({ name: z.string(), served: z.boolean() })),
  other_configs: z
    .array(z.object({ process: z.string(), config: z.string() }))
    .describe('Worker processes that run another configuration. That alone does not make it unready.'),
});

export type Readiness = z.output<typeof readinessSchema>;

/** Probes ask more often than anything changes. */
const REMEMBERED_MS = 3_000;
/** Less than what a probe waits for. */
const TIMEOUT_MS = 4_000;

export interface ReadinessQuestion {
  /** Whether what was found before will do, however long ago: whoever asks is not made to wait for Temporal. */
  readonly atOnce: boolean;
}

/**
 * Says whether leases can be issued and ended now. One question at a time, however many ask.
 * @param timeoutMs for Temporal's answers, all together.
 */
export function createReadiness(
  deps: Pick<ApiDeps, 'client' | 'config' | 'namespace'>,
  timeoutMs = TIMEOUT_MS,
): (question: ReadinessQuestion) => Promise<Readiness> {
  let known: Readiness | undefined;
  let askedAt = -Infinity;
  let asking: Promise<Readiness> | undefined;

  const ask = async (config: Config): Promise<Readiness> => {
    try {
      known = await look(deps, config, timeoutMs);
      askedAt = performance.now();
      return known;
    } finally {
      asking = undefined;
    }
  };

  return ({ atOnce }) => {
    const config = deps.config();
    const isFresh = performance.now() - askedAt < REMEMBERED_MS && known?.config === config.hash;
    if ((atOnce || isFresh) && known !== undefined) return Promise.resolve(known);
    return (asking ??= ask(config));
  };
}

async function look(
  { client, namespace }: Pick<ApiDeps, 'client' | 'namespace'>,
  config: Config,
  timeoutMs: number,
): Promise<Readiness> {
  const nothing = { ready: false, config: config.hash, queues: [], other_configs: [] };
  const { connection } = client;
  try {
    return await within(timeoutMs, () =>
      client.withDeadline(Date.now() + timeoutMs, async () => {
        await checkSearchAttributes(connection, namespace);
        const { queues, others } = await surveyWorkforce(connection, namespace, config);
        const unserved = queues.filter(({ served }) => !served);
        const problems = unserved.map((queue) => explainUnserved(queue, namespace));
        return {
          ready: problems.length === 0,
          problems,
          config: config.hash,
          temporal: 'ok' as const,
          queues: queues.map(({ name, served }) => ({ name, served })),
          other_configs: [...others],
        };
      }),
    );
  } catch (error) {
    if (error instanceof MissingSearchAttributes) {
      const lacking = [...error.missing, ...error.wrongType].join(', ');
      const problem = `Search attributes are missing in Temporal or of the wrong type: ${lacking}.`;
      return { ...nothing, temporal: 'incomplete', problems: [problem] };
    }
    const problem = error instanceof TemporalError ? error.message : 'Temporal cannot be reached or does not answer.';
    return { ...nothing, temporal: 'unreachable', problems: [problem] };
  }
}

/** Some calls set deadlines of their own, which are longer. */
async function within<T>(ms: number, run: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('Temporal did not answer in time.'));
    }, ms);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
