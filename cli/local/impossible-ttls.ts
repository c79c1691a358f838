import type { IntegrationType } from '../../activities/integrations/integration';
import type { Config, DynamicSecret } from '../../config/load';
import { formatTtl } from '../../workflows/ttl';

/** What the configuration allows and the provider never makes. */
export interface ImpossibleTtl {
  readonly kind: 'note' | 'problem';
  readonly text: string;
}

/**
 * The TTLs of an integration's dynamic secrets for which every lease is refused: a problem where it is the one that leases get
 * which ask for none.
 */
export function impossibleTtls(
  config: Config,
  types: Readonly<Record<string, IntegrationType>>,
  integration: string,
): readonly ImpossibleTtl[] {
  const settings = config.integrations[integration];
  const bounds = settings && types[settings.type]?.selfEnding?.(settings.timings.issueTimeoutMs);
  if (bounds === undefined) return [];
  const { minTtlMs: min, maxTtlMs: max, why } = bounds;
  const range = `TTLs from ${formatTtl(min)} to ${formatTtl(max)} are possible. ${why}`;
  return secretsOf(config, integration).flatMap(([place, { defaultTtlMs, minTtlMs, maxTtlMs }]): ImpossibleTtl[] => {
    if (defaultTtlMs < min || defaultTtlMs > max) {
      const text = `the default_ttl of ${place}, ${formatTtl(defaultTtlMs)}, is always refused: ${range}`;
      return [{ kind: 'problem', text }];
    }
    if (minTtlMs >= min && maxTtlMs <= max) return [];
    const written = `${place} allows TTLs from ${formatTtl(minTtlMs)} to ${formatTtl(maxTtlMs)}`;
    return [{ kind: 'note', text: `${written}, of which not all are possible: ${range}` }];
  });
}

function secretsOf({ projects }: Config, integration: string): readonly (readonly [string, DynamicSecret])[] {
  return Object.entries(projects).flatMap(([project, { configs }]) =>
    Object.entries(configs).flatMap(([config, { dynamicSecrets }]) =>
      Object.entries(dynamicSecrets)
        .filter(([, dynamicSecret]) => dynamicSecret.integration === integration)
        .map(([name, dynamicSecret]) => [`${project}/${config}/${name}`, dynamicSecret] as const),
    ),
  );
}
