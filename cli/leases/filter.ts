import type { ManyFilter } from '../../client/http';
import { describeFilter as describe, FILTER_FIELDS } from '../../workflows/filter';
import { printable } from '../output/printable';
import type { FilterFlags } from '../filter-options';

/** What was given of it. */
export function readFilter(flags: FilterFlags): ManyFilter {
  return Object.fromEntries(
    FILTER_FIELDS.filter((field) => flags[field] !== undefined).map((field) => [field, flags[field]]),
  );
}

export function isEmpty(filter: ManyFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** In words: `holder token:ci, project backend`. */
export function describeFilter(filter: ManyFilter): string {
  return printable(describe(filter));
}
