import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { Lease, LeaseError, Leases } from '../../client/leases';
import { generateRecipient } from '../../sealing/recipient';
import type { ApiLab } from './api-lab';
import { eventually, pause } from './lab';

/** One way to reach the same leases. */
export interface Transport {
  readonly leases: Leases;
  /** The holder to be given with an issue, and as it is kept. */
  readonly holder: { readonly given: string; readonly kept: string };
}

/**
 * What the interface `Leases` promises, told to a Jest file for one transport.
 * @param open called before the first test.
 */
export function describeLeases(
  name: string,
  open: () => { readonly lab: ApiLab; readonly transport: Transport },
): void {
  describe(`leases over ${name}`, () => {
    let lab: ApiLab;
    let leases: Leases;
    let holder: Transport['holder'];
    let request: { project: string; config: string; dynamicSecret: string; holder: string; ttl: string };

    beforeAll(() => {
      const opened = open();
      lab = opened.lab;
      ({ leases, holder } = opened.transport);
      request = { project: 'backend', config: 'prd', dynamicSecret: 'TOKEN', holder: holder.given, ttl: '10m' };
    });

    afterEach(() => {
      lab.provider.heal();
      lab.provider.before = () => undefined;
    });

    afterAll(async () => {
      await eventually(async () => lab.provider.entities.size === 0, 'everything to be removed');
    });

    /** Holds the next calls of a verb until they are let go; tells the entity that waits. */
    const hold = (held: 'provision' | 'deprovision' | 'extend'): { reached: Promise<string>; letGo: () => void } => {
      let letGo = (): void => undefined;
      const gate = new Promise<void>((resolve) => (letGo = resolve));
      const reached = new Promise<string>((resolve) => {
        lab.provider.before = async (verb, entity) => {
          if (verb !== held) return;
          resolve(entity);
          await gate;
        };
      });
      return {
        reached,
        letGo: () => {
          letGo();
        },
      };
    };

    const failureOf = (call: Promise<unknown>): Promise<LeaseError> =>
      call.then(
        () => Promise.reject(new Error('it succeeded')),
        (error: unknown) => error as LeaseError,
      );

    const isThere = (lease: Pick<Lease, 'leaseId'>): boolean => lab.provider.of(lease.leaseId).length > 0;

    const idOf = (entity: string): string => entity.slice(-24);

    test('a lease is issued, seen, extended, shortened and revoked', async () => {
      const lease = await leases.issue(request);
      expect({ ...lease.credential }).toEqual({ TOKEN: `canary-${lease.leaseId}` });
      expect(isThere(lease)).toBe(true);
      expect(lease.facts).toEqual({ name: lab.provider.of(lease.leaseId)[0] });
      expect(lease.usableAt).toBeInstanceOf(Date);
      expect(Math.abs(lease.expiresAt.getTime() - Date.now() - 600_000)).toBeLessThan(15_000);
      expect(await leases.get(lease.leaseId)).toEqual({
        leaseId: lease.leaseId,
        state: 'active',
        project: 'backend',
        config: 'prd',
        dynamicSecret: 'TOKEN',
        integration: 'memory',
        holder: holder.kept,
        entity: lab.provider.of(lease.leaseId)[0],
        requestedAt: expect.any(Date),
        expiresAt: lease.expiresAt,
        endedAt: null,
        endedBy: null,
        reason: null,
        failure: null,
      });
      const later = await lease.extend('20m');
      expect(later.getTime()).toBeGreaterThan(lease.expiresAt.getTime() + 500_000);
      const sooner = await leases.extend(lease.leaseId, 300);
      expect(sooner.getTime()).toBeLessThan(lease.expiresAt.getTime());
      expect((await leases.get(lease.leaseId)).expiresAt).toEqual(sooner);
      const revocation = await lease.revoke({ reason: 'done', wait: true });
      expect(revocation).toEqual({
        leaseId: lease.leaseId,
        state: 'revoked',
        endedAt: expect.any(Date),
        endedBy: holder.kept,
        reason: 'done',
      });
      expect(isThere(lease)).toBe(false);
      expect(await leases.revoke(lease.leaseId)).toEqual(revocation);
      expect(await leases.get(lease.leaseId)).toMatchObject({
        state: 'revoked',
        endedBy: holder.kept,
        reason: 'done',
        endedAt: expect.any(Date),
      });
    });

    test('a lease does not show its credential, however it is printed', async () => {
      const lease = await leases.issue(request);
      const shown = [
        inspect(lease, { depth: 10, showHidden: true }),
        JSON.stringify(lease),
        JSON.stringify({ ...lease }),
        inspect(lease.credential),
      ];
      for (const text of shown) expect(text).not.toContain('canary');
      expect(inspect(lease.credential)).toBe('[credential: TOKEN]');
      await lease.revoke({ wait: true });
    });

    test('a revoke says revoked only after the removal', async () => {
      const lease = await leases.issue(request);
      const { reached, letGo } = hold('deprovision');
      expect(await lease.revoke()).toEqual({
        leaseId: lease.leaseId,
        state: 'accepted',
        endedAt: null,
        endedBy: null,
        reason: null,
      });
      await reached;
      const failure = await failureOf(leases.revoke(lease.leaseId, { wait: 300 }));
      expect(failure).toMatchObject({ name: 'LeaseError', code: 'Timeout', leaseId: lease.leaseId });
      const aborted = new AbortController();
      const waits = failureOf(leases.revoke(lease.leaseId, { wait: true, signal: aborted.signal }));
      await pause(100);
      aborted.abort();
      expect(await waits).toMatchObject({ code: 'Aborted', leaseId: lease.leaseId });
      const waited = leases.revoke(lease.leaseId, { wait: true });
      expect(isThere(lease)).toBe(true);
      letGo();
      expect(await waited).toMatchObject({ state: 'revoked' });
      expect(isThere(lease)).toBe(false);
    });

    test('a lease ends by its TTL, and a revoke after that says so', async () => {
      const lease = await leases.issue({ ...request, ttl: '1s' });
      await eventually(async () => !isThere(lease), 'the removal');
      expect(await leases.revoke(lease.leaseId, { wait: true })).toMatchObject({ state: 'expired', endedBy: null });
      expect(await failureOf(lease.extend('5m'))).toMatchObject({ code: 'LeaseEnded', state: 'expired' });
    });

    test('a terminated lease is called neither revoked nor active', async () => {
      const lease = await leases.issue(request);
      await lab.handle(lease.leaseId).terminate();
      expect(await failureOf(leases.revoke(lease.leaseId, { wait: true }))).toMatchObject({
        code: 'LeaseEnded',
        leaseId: lease.leaseId,
        state: 'terminated',
      });
      expect(await failureOf(lease.extend('5m'))).toMatchObject({ code: 'LeaseEnded', state: 'terminated' });
      expect(await leases.get(lease.leaseId)).toMatchObject({ state: 'terminated' });
      for (const entity of lab.provider.of(lease.leaseId)) lab.provider.entities.delete(entity);
    });

    test('leases are listed by filter, page after page, and again', async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => leases.issue(request)));
      const ids = made.map(({ leaseId }) => leaseId).sort();
      const listed = leases.list({ live: true, holder: holder.kept, dynamicSecret: 'TOKEN', pageSize: 2 });
      // The index lags: it may not know these yet, nor that those of other tests have ended.
      const collect = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const each of listed) {
          expect(each).toMatchObject({ holder: holder.kept, dynamicSecret: 'TOKEN', requestedAt: expect.any(Date) });
          if (ids.includes(each.leaseId) && each.state === 'active') found.push(each.leaseId);
        }
        return found.sort();
      };
      await eventually(async () => (await collect()).length === ids.length, 'the index to know all leases');
      expect(await collect()).toEqual(ids);
      const nothing: unknown[] = [];
      for await (const each of leases.list({ live: true, project: 'no"such' })) nothing.push(each);
      expect(nothing).toEqual([]);
      for (const lease of made) await lease.revoke({ wait: true });
    });

    test('one idempotency key and key pair give one lease and its credential again, until it ends', async () => {
      const once = { ...request, idempotencyKey: `Auftrag Nº ${randomUUID()} `, recipient: await generateRecipient() };
      const made = lab.provider.calls.provision;
      const issued = await Promise.all([leases.issue(once), leases.issue(once), leases.issue(once)]);
      issued.push(await leases.issue(once));
      const [lease] = issued;
      for (const each of issued) expect(each.credential).toEqual(lease.credential);
      expect(lab.provider.calls.provision).toBe(made + 1);
      expect(await failureOf(leases.issue({ ...once, ttl: '11m' }))).toMatchObject({ code: 'IdempotencyMismatch' });
      const { recipient: _, ...otherPair } = once;
      expect(await failureOf(leases.issue(otherPair))).toMatchObject({
        code: 'AlreadyIssued',
        leaseId: lease.leaseId,
      });
      expect(isThere(lease)).toBe(true);
      await lease.revoke({ wait: true });
      expect(await failureOf(leases.issue(once))).toMatchObject({
        code: 'LeaseEnded',
        leaseId: lease.leaseId,
        state: 'revoked',
      });
    });

    test('a P-256 key pair of the caller opens the credential as well', async () => {
      const lease = await leases.issue({ ...request, recipient: await generateRecipient('P-256') });
      expect(lease.credential['TOKEN']).toBe(`canary-${lease.leaseId}`);
      await lease.revoke({ wait: true });
    });

    test('an issue that was aborted before it began starts nothing', async () => {
      const before = lab.provider.calls.provision;
      const failure = await failureOf(leases.issue({ ...request, signal: AbortSignal.abort() }));
      expect(failure).toMatchObject({ code: 'Aborted', undelivered: 'nothing started' });
      expect(lab.provider.calls.provision).toBe(before);
    });

    test.each(['none', 'its own', 'a kept pair'])(
      'an aborted issue leaves nothing, with an idempotency key (%s)',
      async (kind) => {
        const { reached, letGo } = hold('provision');
        const abort = new AbortController();
        const failure = failureOf(
          leases.issue({
            ...request,
            signal: abort.signal,
            ...(kind === 'none' ? {} : { idempotencyKey: randomUUID() }),
            ...(kind === 'a kept pair' ? { recipient: await generateRecipient() } : {}),
          }),
        );
        const leaseId = idOf(await reached);
        abort.abort();
        expect(await failure).toMatchObject({ name: 'LeaseError', code: 'Aborted', leaseId });
        expect(['revoke accepted', 'ended']).toContain((await failure).undelivered);
        letGo();
        expect(await lab.outcome(leaseId)).toMatchObject({
          state: 'revoked',
          delivered: false,
          endedBy: holder.kept,
          reason: 'undelivered',
        });
        expect(isThere({ leaseId })).toBe(false);
      },
    );

    test('an issue that takes too long is revoked, and the error says which lease', async () => {
      const { reached, letGo } = hold('provision');
      const failure = failureOf(leases.issue({ ...request, timeoutMs: 1_500 }));
      const leaseId = idOf(await reached);
      expect(await failure).toMatchObject({ code: 'IssueTimeout', leaseId });
      expect(['revoke accepted', 'ended']).toContain((await failure).undelivered);
      letGo();
      expect(await lab.outcome(leaseId)).toMatchObject({ state: 'revoked', delivered: false });
      expect(isThere({ leaseId })).toBe(false);
    });

    test('a caller that aborts after joining leaves the lease to the one who started it', async () => {
      const once = { ...request, idempotencyKey: randomUUID(), recipient: await generateRecipient() };
      const { reached, letGo } = hold('provision');
      const first = leases.issue(once);
      await reached;
      const abort = new AbortController();
      const joined = failureOf(leases.issue({ ...once, signal: abort.signal }));
      await pause(300);
      abort.abort();
      expect(await joined).toMatchObject({ code: 'Aborted', undelivered: 'left alone' });
      letGo();
      const lease = await first;
      expect(isThere(lease)).toBe(true);
      await lease.revoke({ wait: true });
    });

    test('an extension that is aborted or takes too long says that it may still happen', async () => {
      const lease = await leases.issue(request);
      const { letGo } = hold('extend');
      expect(await failureOf(lease.extend('20m', { timeoutMs: 500 }))).toMatchObject({
        code: 'Timeout',
        leaseId: lease.leaseId,
        message: expect.stringContaining('may still happen'),
      });
      const abort = new AbortController();
      const failure = failureOf(lease.extend('20m', { signal: abort.signal }));
      await pause(100);
      abort.abort();
      expect(await failure).toMatchObject({ code: 'Aborted', leaseId: lease.leaseId });
      letGo();
      await lease.revoke({ wait: true });
    });

    test.each<[string, object, string]>([
      ['a TTL over the maximum', { ttl: '13h' }, 'InvalidTtl'],
      ['a dynamic secret that there is not', { dynamicSecret: 'NONE' }, 'UnknownDynamicSecret'],
      ['a config that there is not', { config: 'none' }, 'UnknownDynamicSecret'],
    ])('%s is refused, and nothing is made', async (_, change, code) => {
      const before = lab.provider.calls.provision;
      expect(await failureOf(leases.issue({ ...request, ...change }))).toMatchObject({ name: 'LeaseError', code });
      expect(lab.provider.calls.provision).toBe(before);
    });

    test.each(['Refused', 'QuotaExceeded'] as const)('a provider that says %s is quoted by its code', async (type) => {
      lab.provider.fail(type, 'provision');
      const failure = await failureOf(leases.issue(request));
      expect(failure).toMatchObject({ code: type });
      expect(await leases.get(failure.leaseId!)).toMatchObject({ failure: { type } });
    });

    test('an extension beyond the maximum TTL is refused, and the old end stands', async () => {
      const lease = await leases.issue(request);
      expect(await failureOf(lease.extend('13h'))).toMatchObject({ code: 'InvalidTtl', leaseId: lease.leaseId });
      expect((await leases.get(lease.leaseId)).expiresAt).toEqual(lease.expiresAt);
      await lease.revoke({ wait: true });
    });

    test('a lease that there is not is not found', async () => {
      const leaseId = 'a'.repeat(24);
      const calls = [leases.get(leaseId), leases.extend(leaseId, '5m'), leases.revoke(leaseId)];
      for (const failure of await Promise.all(calls.map(failureOf))) {
        expect(failure).toMatchObject({ code: 'LeaseNotFound', leaseId });
      }
    });

    test.each<[string, object]>([
      ['project', { project: 'Backend' }],
      ['config', { config: 'a/b' }],
      ['dynamicSecret', { dynamicSecret: 's3' }],
      ['holder', { holder: '' }],
      ['holder', { holder: 'a\u202eb' }],
      ['idempotencyKey', { idempotencyKey: '' }],
      ['idempotencyKey', { idempotencyKey: 'a\nb' }],
      ['recipient', { recipient: {} }],
      ['signal', { signal: {} }],
      ['timeoutMs', { timeoutMs: 0 }],
      ['tll', { tll: '5m' }],
    ])('a wrong %s is refused by name: %j', async (field, change) => {
      expect(await failureOf(leases.issue({ ...request, ...change }))).toMatchObject({
        code: 'InvalidInput',
        field,
      });
    });

    test.each(['0', '1.5s', 'True', NaN, 1.5, 2 ** 31])('TTL %j is refused as a TTL', async (ttl) => {
      const refusal = { code: 'InvalidTtl', field: 'ttl' };
      expect(await failureOf(leases.issue({ ...request, ttl }))).toMatchObject(refusal);
      expect(await failureOf(leases.extend('a'.repeat(24), ttl))).toMatchObject(refusal);
    });

    test('a wrong lease id, option or filter is refused by name', async () => {
      expect(await failureOf(leases.get('../x'))).toMatchObject({ code: 'InvalidInput', field: 'leaseId' });
      const odd = [
        ['wait', { wait: 'yes' }],
        ['reason', { reason: 5 }],
        ['by', { by: '' }],
        ['resaon', { resaon: 'x' }],
      ] as const;
      for (const [field, options] of odd) {
        expect(await failureOf(leases.revoke('a'.repeat(24), options as never))).toMatchObject({
          code: 'InvalidInput',
          field,
        });
      }
      expect(() => leases.list({ states: ['active'] } as never)).toThrow(
        expect.objectContaining({ code: 'InvalidInput', field: 'states' }) as Error,
      );
    });
  });
}
