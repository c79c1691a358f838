import type { Lease, OfferedSecret } from '../../client/http';
import { findPlace } from '../access';
import type { LeaseFlags } from '../commands/lease';
import { requireReader } from '../deliver';
import { FailedError, UsageError } from '../exit';
import { requireOffered } from '../offered';
import { details } from '../output/details';
import { outputTo } from '../output/output';
import { printable } from '../output/printable';
import { relative } from '../output/relative';
import { tell } from '../output/tell';
import { checkTtlOf } from '../together';
import { readSeconds } from '../ttl';
import { leaseAndPrint } from './hand-over';
import { withLeases } from './with-leases';

/** See `leaseCommand`. */
export async function issueLease(dynamicSecret: string, flags: LeaseFlags): Promise<number> {
  const checkedTtl: { readonly ttl?: number } = flags.ttl === undefined ? {} : { ttl: readSeconds(flags.ttl, '--ttl') };
  requireReader();
  return withLeases(flags, async (leases) => {
    const place = await findPlace(leases, flags);
    const offered = await requireOffered(leases, place, dynamicSecret);
    requireField(offered, flags.plain);
    checkTtlOf([offered], checkedTtl.ttl);
    return leaseAndPrint(
      leases,
      { ...place, dynamicSecret, ...checkedTtl },
      {
        write: (lease) => {
          requireKnownFields(lease, offered);
          return write(dynamicSecret, lease, flags);
        },
        tellMore: (lease) => {
          if (flags.json !== true) tellEnd(lease, flags);
        },
      },
    );
  });
}

function requireField({ dynamicSecret, fields }: OfferedSecret, field: string | undefined): void {
  if (field === undefined || fields.includes(field)) return;
  throw new UsageError(
    `--plain: ${dynamicSecret} has no field ${JSON.stringify(field)}, but ${fields.join(', ')}. Nothing was leased.`,
  );
}

/** @throws FailedError of what was not offered under that name: nobody has asked for it. */
function requireKnownFields({ credential }: Lease, { fields }: OfferedSecret): void {
  const odd = Object.keys(credential).find((field) => !fields.includes(field));
  if (odd === undefined) return;
  throw new FailedError(`What was issued has the field ${odd} as well: its dynamic secret has just changed.`);
}

async function write(dynamicSecret: string, lease: Lease, { json, env, plain }: LeaseFlags): Promise<string> {
  if (plain !== undefined) return `${fieldOf(lease, plain)}\n`;
  if (json === true) return `${JSON.stringify(toJson(lease))}\n`;
  if (env !== true) return describe(lease);
  const [{ flatten }, { FORMATS }] = await Promise.all([
    import('../../flat/flatten.js'),
    import('../../flat/formats.js'),
  ]);
  return FORMATS.env.write(flatten(dynamicSecret, lease));
}

function fieldOf({ credential }: Lease, field: string): string {
  const value = Object.hasOwn(credential, field) ? credential[field] : undefined;
  if (value !== undefined) return value;
  throw new FailedError(`What was issued has no field ${JSON.stringify(field)}: its dynamic secret has just changed.`);
}

function toJson({ leaseId, expiresAt, usableAt, credential, facts, notes }: Lease): Readonly<Record<string, unknown>> {
  return {
    lease_id: leaseId,
    expires_at: expiresAt.toISOString(),
    usable_at: usableAt?.toISOString() ?? null,
    credential: { ...credential },
    facts,
    notes,
  };
}

function describe({ leaseId, expiresAt, usableAt, credential, facts, notes }: Lease): string {
  const { style } = outputTo(process.stdout);
  return details(
    [
      ['Lease', leaseId],
      ['Ends', `${relative(expiresAt)} (${expiresAt.toISOString()})`],
      ...Object.entries(credential).map(([field, value]) => [field, { text: value, paint: style.cyan }] as const),
      ...Object.entries(facts).map(([fact, value]) => [fact, { text: value, paint: style.dim }] as const),
      ...(usableAt === null
        ? [['Note', 'The provider may need a moment until it honours the credential.'] as const]
        : []),
      ...notes.map((note) => ['Note', note] as const),
    ],
    { style },
  );
}

/** What else there is to know, beside what was printed. */
function tellEnd({ leaseId, expiresAt, credential }: Lease, { env, plain }: LeaseFlags): void {
  const isShown = env !== true && plain === undefined;
  if (isShown && Object.values(credential).some((value) => printable(value) !== value)) {
    tell('A value with line breaks or control characters is shown with escapes: --plain and --json give it as it is.');
  }
  const end = isShown ? `To end lease ${leaseId} now` : `Lease ${leaseId} ends ${relative(expiresAt)}. To end it now`;
  tell(`${end}: leasehold leases revoke ${leaseId}`);
}
