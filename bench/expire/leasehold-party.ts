import type { Deployment, LeasedFrom } from '../deployment';
import { usagesOf } from '../programs';
import type { Party } from './party';

const HOLDER = 'bench';
/** Of leases that are revoked when the figures are taken. */
const LONG_TTL = '6h';
const PAGE = 20;

/**
 * Leasehold: leases that are to expire come through the library, as a backend has them; who asks meanwhile asks over HTTP.
 * @param from what is leased, by turns. Default: of the first integration alone.
 */
export async function connectLeasehold(
  deployment: Deployment,
  from: readonly LeasedFrom[] = deployment.integrations.slice(0, 1),
): Promise<Party> {
  const { what } = deployment;
  let turn = 0;
  const next = (): LeasedFrom['what'] => {
    const found = from[turn % from.length];
    turn += 1;
    return found?.what ?? what;
  };
  const library = await deployment.connect();
  const http = await deployment.connectHttp();
  return {
    name: 'Leasehold',
    rolePrefixes: from.map(({ rolePrefix }) => rolePrefix),
    application: 'leasehold',
    async issue(ttlSeconds) {
      const { leaseId, expiresAt, credential } = await library.issue({ ...next(), holder: HOLDER, ttl: ttlSeconds });
      const { USER: role, PASSWORD: password } = credential;
      if (role === undefined || password === undefined) throw new Error(`Lease ${leaseId} has no role or no password.`);
      const instant = expiresAt.getTime();
      return { id: leaseId, role, password, notBefore: instant, expiresAt: instant };
    },
    lease: async () => (await http.issue({ ...what, ttl: LONG_TTL })).leaseId,
    async revoke(id) {
      await library.revoke(id, { by: HOLDER, reason: 'measured', wait: true });
    },
    question: {
      name: `list ${PAGE} leases`,
      async ask() {
        let seen = 0;
        for await (const { leaseId } of http.list({ live: true, pageSize: PAGE })) {
          if (leaseId === '') throw new Error('A lease without an id was listed.');
          seen += 1;
          if (seen === PAGE) return;
        }
      },
    },
    async cpuSeconds() {
      const usages = Object.entries(await usagesOf(deployment));
      return Object.fromEntries(usages.map(([program, { cpuSeconds }]) => [program, cpuSeconds]));
    },
    async close() {
      await http.close();
      await library.close();
    },
  };
}
