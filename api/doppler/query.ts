import { z } from 'zod';
import { LeaseError } from '../../client/leases';
import { quote } from '../../workflows/quote';
import { refusal } from '../errors';

/** Largest number of seconds that Doppler's wire has room for. */
const INT32_MAX = 2_147_483_647;
const LONGEST_PAGE = 1_000;
const DEFAULT_PAGE = 20;

/** Where something is asked for. Empty, as Doppler's CLI sends it with a service token: where the token may act. */
export const whereQuery = z.object({
  project: z
    .string()
    .max(100)
    .default('')
    .meta({ description: 'May be empty with a token of one config alone.', examples: ['backend'] }),
  config: z
    .string()
    .max(100)
    .default('')
    .meta({ description: 'Likewise.', examples: ['prd'] }),
});

export const pageQuery = z.object({
  page: z.string().max(20).optional().describe('From 1 on.'),
  per_page: z.string().max(20).optional().describe(`1 to ${LONGEST_PAGE}; ${DEFAULT_PAGE} if absent.`),
});

export const dynamicQuery = z.object({
  include_dynamic_secrets: z.string().max(10).default('false').describe('`true`: leases are issued.'),
  dynamic_secrets_ttl_sec: z
    .string()
    .max(100)
    .optional()
    .describe('Whole seconds. Default: the TTL of each dynamic secret. Out of its range it is refused, never cut.'),
  secrets: z
    .string()
    .optional()
    .describe('Names with commas between them: of static secrets, of dynamic secrets, or `<NAME>_<FIELD>`.'),
});

/**
 * `true` and `false` in any case, as Doppler's clients in several languages write them; nothing is false.
 * @throws ApiError 400
 */
export function readBoolean(written: string, field: string): boolean {
  switch (written.toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
    case '':
      return false;
    default:
      throw refusal(400, 'invalid_input', `${field} is ${quote(written)}: it must be true or false.`, { field });
  }
}

/**
 * Milliseconds of a number of seconds, in a query or in JSON.
 * @throws LeaseError `InvalidTtl` for everything but a whole number from 1 to the largest of 32 bits.
 */
export function readTtlMs(written: unknown, field: string): number {
  const seconds =
    typeof written === 'number'
      ? written
      : typeof written === 'string' && /^[0-9]{1,12}$/.test(written)
        ? +written
        : NaN;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= INT32_MAX) return seconds * 1_000;
  throw new LeaseError(
    'InvalidTtl',
    `${field} is ${quote(written)}: it must be a whole number of seconds from 1 to ${INT32_MAX}.`,
    { field },
  );
}

/** One page of a list. @throws ApiError 400 */
export function cutPage<T>(all: readonly T[], { page, per_page: size }: z.output<typeof pageQuery>): readonly T[] {
  const length = readCount(size, 'per_page', DEFAULT_PAGE, LONGEST_PAGE);
  const start = (readCount(page, 'page', 1, 1_000_000) - 1) * length;
  return all.slice(start, start + length);
}

function readCount(written: string | undefined, field: string, preset: number, largest: number): number {
  if (written === undefined || written === '') return preset;
  const count = /^[0-9]{1,9}$/.test(written) ? Number(written) : NaN;
  if (count >= 1 && count <= largest) return count;
  throw refusal(400, 'invalid_input', `${field} is ${quote(written)}: it must be a number from 1 to ${largest}.`, {
    field,
  });
}
