import type { HttpLeases } from '../../client/http';
import { connect } from '../access';
import type { AccessFlags } from '../access-options';

/** Leases for as long as something is done with them. */
export async function withLeases<T>(flags: AccessFlags, act: (leases: HttpLeases) => Promise<T>): Promise<T> {
  const leases = await connect(flags);
  try {
    return await act(leases);
  } finally {
    await leases.close();
  }
}
