import type { BulkRevokeReportBody } from '../../client/wire';
import type { RevokeFilter } from '../../workflows/contract';

type FilterBody = BulkRevokeReportBody['filter'];

export function fromBody({ dynamic_secret: dynamicSecret, ...rest }: FilterBody): RevokeFilter {
  return given({ ...rest, dynamicSecret });
}

export function toBody({ dynamicSecret, ...rest }: RevokeFilter): FilterBody {
  return given({ ...rest, dynamic_secret: dynamicSecret });
}

/** Without what is not there. */
function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
