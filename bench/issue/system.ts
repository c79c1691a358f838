import type { HttpLeases } from '../../client/http';
import type { Lease } from '../../client/leases';
import type { ConnectedLeases } from '../../client/temporal';
import type { Deployment } from '../deployment';
import { LADDER } from '../floor/shape';
import type { Floor } from '../floor/floor';
import type { OpenBao } from '../openbao';
import type { Provider } from '../provider';
import type { Raw } from './raw';

/** A way to get a credential and to end it, as the load knows it. */
export interface System {
  readonly name: string;
  /** What the names of its roles begin with; null: it makes none. */
  readonly rolePrefix: string | null;
  /** Whose worker works for it; null: it needs no Temporal. */
  readonly worker: 'worker' | 'floor' | null;
  issue(): Promise<Issued>;
}

export interface Issued {
  /** What it made at the provider; null: nothing. */
  readonly role: string | null;
  /** Resolves when it is gone. */
  end(): Promise<void>;
}

export const NAMES = {
  library: 'Leasehold, library',
  http: 'Leasehold, HTTP',
  openbao: 'OpenBao',
  raw: 'raw provider calls',
} as const;

export interface Parts {
  readonly deployment: Deployment;
  readonly openbao: OpenBao;
  readonly floor: Floor;
  readonly raw: Raw;
  readonly leases: ConnectedLeases;
  readonly http: HttpLeases;
}

/** All that are compared. */
export function createSystems({ deployment, openbao, floor, raw, leases, http }: Parts): readonly System[] {
  const { rolePrefix, what } = deployment;
  return [
    {
      name: NAMES.library,
      rolePrefix,
      worker: 'worker',
      issue: async () => issuedOf(await leases.issue({ ...what, holder: 'bench' })),
    },
    { name: NAMES.http, rolePrefix, worker: 'worker', issue: async () => issuedOf(await http.issue({ ...what })) },
    {
      name: NAMES.openbao,
      rolePrefix: openbao.rolePrefix,
      worker: null,
      issue: async () => {
        const { leaseId, username } = await openbao.issue();
        return { role: username, end: () => openbao.revoke(leaseId) };
      },
    },
    {
      name: NAMES.raw,
      rolePrefix: raw.rolePrefix,
      worker: null,
      issue: async () => {
        const made = await raw.provision();
        return { role: made.role, end: () => made.deprovision() };
      },
    },
    ...LADDER.map(({ name, shape }): System => ({
      name,
      rolePrefix: null,
      worker: 'floor',
      issue: async () => {
        const id = await floor.begin(shape);
        return { role: null, end: () => floor.end(id) };
      },
    })),
  ];
}

function issuedOf(lease: Lease): Issued {
  return {
    role: lease.credential['USER'] ?? '',
    end: async () => {
      const { state } = await lease.revoke({ wait: true });
      if (state !== 'revoked') throw new Error(`Lease ${lease.leaseId} was revoked and ended as ${state}.`);
    },
  };
}

/** @throws Error unless the provider has the roles of all these, and no others of this system. */
export async function verifyRoles(provider: Provider, system: System, issued: readonly Issued[]): Promise<void> {
  if (system.rolePrefix === null) return;
  const there = new Set(await provider.listRoles(system.rolePrefix));
  const missing = issued.filter(({ role }) => role === null || !there.has(role)).length;
  if (missing > 0 || there.size !== issued.length) {
    throw new Error(
      `${system.name}: of ${issued.length} roles that must be at the provider ${missing} are missing, and it has ${there.size}.`,
    );
  }
}
