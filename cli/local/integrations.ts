import type { Config } from '../../config/load';
import { UsageError } from '../exit';

/**
 * The integrations that were named, or all.
 * @throws UsageError for a name that the configuration does not have.
 */
export function chooseIntegrations(config: Config, named: readonly string[] | undefined): readonly string[] {
  const known = Object.keys(config.integrations);
  const unknown = (named ?? []).filter((name) => !known.includes(name));
  if (unknown.length === 0) return named ?? known;
  const has = known.length === 0 ? 'It has none.' : `It has: ${known.join(', ')}.`;
  throw new UsageError(`The configuration has no integration ${unknown.join(', ')}. ${has}`);
}
