import type { OpenBao } from '../openbao';
import type { Party } from './party';

/** OpenBao, over its HTTP API: it has no other one. */
export function askOpenBao(bao: OpenBao): Party {
  return {
    name: 'OpenBao',
    rolePrefixes: [bao.rolePrefix],
    // As its database plugins still call themselves.
    application: 'vault',
    async issue(ttlSeconds) {
      const asked = Date.now();
      const { leaseId, username, password } = await bao.issue(`${ttlSeconds}s`);
      const ttlMs = ttlSeconds * 1_000;
      // It began the TTL somewhere between question and answer: what is not known counts in its favour.
      return { id: leaseId, role: username, password, notBefore: asked + ttlMs, expiresAt: Date.now() + ttlMs };
    },
    lease: async () => (await bao.issue()).leaseId,
    revoke: (id) => bao.revoke(id),
    question: {
      name: 'health',
      async ask() {
        const answer = await fetch(`${bao.url}/v1/sys/health`);
        await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`OpenBao answered ${answer.status} when it was asked for its health.`);
      },
    },
    cpuSeconds: async () => ({ openbao: (await bao.usage()).cpuSeconds }),
    close: () => Promise.resolve(),
  };
}
