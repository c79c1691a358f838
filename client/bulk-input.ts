import { checkFilter, checkRevoke } from './input';
import { invalid } from './refusals';

/** Which leases are meant: all that is given must be so, and something is given. */
export interface ManyFilter {
  readonly holder?: string;
  readonly project?: string;
  readonly config?: string;
  readonly dynamicSecret?: string;
  readonly integration?: string;
  /** Name of what was made at the provider. */
  readonly entity?: string;
}

/**
 * What a revoke of many leases means, and why it is asked for. Callers may be plain JavaScript, so nothing is taken for granted.
 * @throws LeaseError `InvalidInput` that names the field.
 */
export function checkMany(
  filter: ManyFilter,
  reason: string,
): { readonly filter: ManyFilter; readonly reason: string } {
  checkFilter(filter);
  const { holder, project, config, dynamicSecret, integration, entity } = filter;
  const given = Object.entries({ holder, project, config, dynamicSecret, integration, entity }).filter(
    ([, value]) => value !== undefined,
  );
  // Else it would mean every lease that there is.
  if (given.length === 0) throw invalid('filter', 'must name at least one thing of which all leases are to end');
  const checked = checkRevoke({ reason });
  if (checked.reason === null || checked.reason.trim() === '')
    throw invalid('reason', 'must be text that is not blank');
  return { filter: Object.fromEntries(given), reason: checked.reason };
}
