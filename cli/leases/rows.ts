import type { LeaseSummary, SeenState } from '../../client/http';
import type { Output } from '../output/output';
import { relative } from '../output/relative';
import type { Paint, Style } from '../output/style';
import { table } from '../output/table';

/** What is missed least stands last: it is left out where there is no room. */
const COLUMNS = [
  { title: 'LEASE', whole: true },
  'DYNAMIC SECRET',
  'STATE',
  { title: 'ENDS', whole: true },
  'HOLDER',
  'ENTITY',
];

/** Leases under titles. */
export function leaseTable(leases: readonly LeaseSummary[], output: Output): string {
  const now = new Date();
  const rows = leases.map((lease) => [
    lease.leaseId,
    `${lease.project}/${lease.config}/${lease.dynamicSecret}`,
    { text: lease.state, paint: paintOf(lease.state, output.style) },
    tellEnd(lease, now),
    lease.holder,
    lease.entity ?? '',
  ]);
  return table(COLUMNS, rows, output);
}

/** When it ends, or ended: `in 12 minutes`, `ended 3 hours ago`. */
export function tellEnd({ expiresAt, endedAt }: LeaseSummary, now = new Date()): string {
  if (endedAt !== null) return `ended ${relative(endedAt, now)}`;
  return expiresAt === null ? '' : relative(expiresAt, now);
}

/** How urgent a state is. */
export function paintOf(state: SeenState, style: Style): Paint {
  switch (state) {
    case 'active':
      return style.green;
    case 'provisioning':
    case 'deprovisioning':
      return style.yellow;
    case 'stuck':
    case 'terminated':
    case 'abandoned':
      return style.red;
    case 'expired':
    case 'revoked':
    case 'failed':
      return style.dim;
  }
}
