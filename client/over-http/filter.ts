import type { BlockBody, BulkRevokeReportBody } from '../wire';
import type { ManyFilter } from '../bulk-input';

type FilterBody = BulkRevokeReportBody['filter'] | BlockBody['filter'];

/** What is not given is not there. */
export function filterFromWire({ dynamic_secret: dynamicSecret, ...rest }: FilterBody): ManyFilter {
  return Object.fromEntries(Object.entries({ ...rest, dynamicSecret }).filter(([, value]) => value !== undefined));
}

export function filterToWire({ dynamicSecret, ...rest }: ManyFilter): FilterBody {
  return { ...rest, ...(dynamicSecret === undefined ? {} : { dynamic_secret: dynamicSecret }) };
}
