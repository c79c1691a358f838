import { randomUUID } from 'node:crypto';
import type { Identity } from '../../api/identity/identity';
import { AuditError } from '../../audit/writer';
import { createLeaseService } from '../../client/service';
import { generateRecipient } from '../../sealing/recipient';
import { open } from '../../sealing/seal';
import { callApi } from '../support/api-call';
import type { ApiAnswer, ApiCall } from '../support/api-call';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually, pause } from '../support/lab';

const WANTED = { project: 'backend', config: 'prd', dynamic_secret: 'TOKEN', ttl: '10m' } as const;
const UNKNOWN = 'a'.repeat(24);
/** Whom an OIDC issuer's tokens, each another one than the last, stand for. */
const OF_AN_ISSUER: Identity = {
  tokenId: 'oidc/github',
  holder: 'github:repo:a/b',
  rights: new Set(['lease']),
  scopes: [{ project: '*', config: '*' }],
  expiresAt: null,
  secret: null,
};

let lab: ApiLab;

beforeAll(async () => {
  lab = await openApiLab({
    projects: { frontend: { configs: { prd: {}, dev: {} } } },
    tokens: {
      twin: { scopes: ['backend/prd'], subject: 'ci' },
      reader: { scopes: ['backend/prd'], rights: ['read'], subject: 'ci' },
      issuer: { scopes: ['backend/prd'], rights: ['lease'] },
      'backend-admin': { scopes: ['backend/*'], rights: ['admin'] },
      'far-admin': { scopes: ['frontend/*'], rights: ['admin', 'lease', 'read', 'revoke-own'] },
      elsewhere: { scopes: ['frontend/prd'] },
      fork: { scopes: ['frontend/prd'], subject: 'ci' },
      'two-places': { scopes: ['frontend/prd', 'frontend/dev'], rights: ['admin'] },
      dated: { scopes: ['*'], expires_at: '2999-01-31T00:00:00Z' },
    },
  });
}, 60_000);

afterEach(async () => {
  lab.provider.heal();
  lab.provider.before = () => undefined;
  lab.breakAudit(false);
  const { body } = await ask('GET', '/v1/leases?live=true&limit=1000', { token: lab.tokens['admin'] });
  for (const { lease_id: id } of body.leases) await lab.leases.revoke(id, { wait: true });
});

afterAll(() => lab.close());

function ask(method: string, path: string, call: Partial<ApiCall> = {}): Promise<ApiAnswer> {
  return callApi(method, path, { url: lab.url, token: lab.tokens['ci'], ...call });
}

function issue(call: Partial<ApiCall> = {}): Promise<ApiAnswer> {
  return ask('POST', '/v1/leases', { body: WANTED, ...call });
}

async function issued(call: Partial<ApiCall> = {}): Promise<string> {
  const { status, body } = await issue(call);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.lease_id;
}

/** Holds every provision until it is let go; tells that one waits. */
function holdProvision(): { readonly held: Promise<void>; readonly letGo: () => void } {
  let tell = (): void => undefined;
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (tell = resolve));
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  lab.provider.before = async (verb) => {
    if (verb !== 'provision') return;
    tell();
    await gate;
  };
  return {
    held,
    letGo: () => {
      letGo();
    },
  };
}

function untilNothingIsLeft(): Promise<void> {
  return eventually(async () => lab.provider.entities.size === 0, 'the provider to hold nothing');
}

describe('issue', () => {
  test('gives a credential that the provider knows, and writes down before whom it is sent to', async () => {
    const { status, headers, body } = await issue();
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      lease_id: expect.stringMatching(/^[a-z2-7]{24}$/),
      expires_at: expect.stringMatching(/Z$/),
      usable_at: expect.stringMatching(/Z$/),
      credential: { TOKEN: `canary-${body.lease_id}` },
      facts: { name: lab.provider.of(body.lease_id)[0] },
      notes: [],
    });
    expect(Math.abs(Date.parse(body.expires_at) - Date.now() - 600_000)).toBeLessThan(15_000);
    expect(lab.events(body.lease_id)).toEqual(['issued', 'delivered']);
    expect(lab.audit.find(({ event }) => event === 'delivered')).toMatchObject({
      holder: 'token:ci',
      project: 'backend',
      config: 'prd',
      dynamicSecret: 'TOKEN',
      details: { tokenId: 'token/ci', requestId: headers.get('x-request-id'), source: '127.0.0.1' },
    });
  });

  test('with a public key gives what only the private key opens, and nothing else of the credential', async () => {
    const { publicJwk, privateKey } = await generateRecipient();
    const { body } = await issue({ body: { ...WANTED, recipient_jwk: publicJwk } });
    expect(Object.keys(body)).not.toContain('credential');
    expect(JSON.stringify(body)).not.toContain('canary');
    expect(await open(body.sealed, privateKey, body.lease_id)).toEqual({ TOKEN: `canary-${body.lease_id}` });
  });

  test.each([
    ['a private key', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43), d: 'A'.repeat(43) }],
    ['a point of no order', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
    ['another curve', { kty: 'EC', crv: 'P-521', x: 'A', y: 'A' }],
    ['text', 'key'],
  ])('is refused with %s as a public key, before anything is made', async (_, jwk) => {
    const made = lab.provider.calls.provision;
    const { status, body } = await issue({ body: { ...WANTED, recipient_jwk: jwk } });
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    expect(body.field).toMatch(/^recipient_jwk/);
    expect(lab.provider.calls.provision).toBe(made);
  });

  test('needs the right to lease, and a scope: what is out of it is not told from what there is not', async () => {
    expect(await issue({ token: lab.tokens['reader'] })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const outside = await issue({ token: lab.tokens['elsewhere'] });
    const nowhere = await issue({ token: lab.tokens['admin'], body: { ...WANTED, project: 'nowhere' } });
    expect(outside).toMatchObject({ status: 404, body: { code: 'unknown_dynamic_secret' } });
    expect(nowhere.status).toBe(404);
    expect(outside.body.messages[0]!.replace('backend', 'nowhere')).toBe(nowhere.body.messages[0]);
    expect(await issue({ body: { ...WANTED, dynamic_secret: 'NOTHING' } })).toMatchObject({
      status: 404,
      body: { code: 'unknown_dynamic_secret', messages: [expect.stringContaining('Known: TOKEN')] },
    });
    expect(lab.audit.at(-1)).not.toMatchObject({ event: 'issued' });
  });

  test('whose line cannot be written gives nothing and leaves nothing', async () => {
    const made = lab.provider.calls.provision;
    const { url } = await lab.startApi({
      audit: {
        write: (record) =>
          record.event === 'delivered' ? Promise.reject(new AuditError('full')) : lab.writer.write(record),
        close: () => Promise.resolve(),
      },
    });
    const { status, body } = await issue({ url });
    expect({ status, body }).toMatchObject({ status: 502, body: { code: 'unavailable' } });
    expect(JSON.stringify(body)).not.toContain('canary');
    await untilNothingIsLeft();
    expect(lab.provider.calls.provision).toBe(made + 1);
  });

  test('that fails for no known reason is 502 where a lease may exist, 500 elsewhere, and tells nothing', async () => {
    const fail = (): never => {
      throw new Error('canary');
    };
    const { url } = await lab.startApi({ leases: { ...createLeaseService(lab), issue: fail, get: fail } });
    expect(await issue({ url })).toMatchObject({ status: 502, body: { code: 'internal' } });
    const read = await ask('GET', `/v1/leases/${UNKNOWN}`, { url });
    expect(read).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(read.body)).not.toContain('canary');
  });

  test('whose client hangs up while the credential is made leaves nothing', async () => {
    const { held, letGo } = holdProvision();
    const client = new AbortController();
    const answer = issue({ signal: client.signal });
    await held;
    client.abort();
    await expect(answer).rejects.toThrow();
    letGo();
    await eventually(async () => lab.audit.some(({ reason }) => reason === 'undelivered'), 'the lease to be revoked');
    await untilNothingIsLeft();
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string, call: Partial<ApiCall> = {}): Promise<ApiAnswer> =>
    issue({ headers: { 'idempotency-key': key }, ...call });

  test('gives the same credential again, from any API process, and makes no second one', async () => {
    const { url: second } = await lab.startApi();
    const key = randomUUID();
    const made = lab.provider.calls.provision;
    const answers = await Promise.all([keyed(key), keyed(key, { url: second }), keyed(key)]);
    answers.push(await keyed(key, { url: second }));
    for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 201, body: answers[0].body });
    expect(answers[0].body.credential).toEqual({ TOKEN: `canary-${answers[0].body.lease_id}` });
    expect(lab.provider.calls.provision).toBe(made + 1);
    expect(lab.events(answers[0].body.lease_id).filter((event) => event === 'delivered')).toHaveLength(4);
  });

  test('with another TTL is a mismatch, and for another holder another lease', async () => {
    const key = randomUUID();
    const first = await keyed(key);
    const longer = await keyed(key, { body: { ...WANTED, ttl: '11m' } });
    expect(longer).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch', lease_id: first.body.lease_id },
    });
    const other = await keyed(key, { token: lab.tokens['other'] });
    expect(other.status).toBe(201);
    expect(other.body.lease_id).not.toBe(first.body.lease_id);
  });

  test('gives nothing to another token of the same holder, which cannot derive the key', async () => {
    const key = randomUUID();
    const { body } = await keyed(key);
    const twin = await keyed(key, { token: lab.tokens['twin'] });
    expect(twin).toMatchObject({ status: 409, body: { code: 'already_issued', lease_id: body.lease_id } });
    expect(JSON.stringify(twin.body)).not.toContain('canary');
  });

  test('with a public key gives what is sealed again, and tells another key that it was issued', async () => {
    const key = randomUUID();
    const { publicJwk, privateKey } = await generateRecipient();
    const body = { ...WANTED, recipient_jwk: publicJwk };
    const [one, two] = [await keyed(key, { body }), await keyed(key, { body })];
    expect(two.body).toEqual(one.body);
    expect(await open(two.body.sealed, privateKey, two.body.lease_id)).toEqual({
      TOKEN: `canary-${two.body.lease_id}`,
    });
    expect(await keyed(key)).toMatchObject({ status: 409, body: { code: 'already_issued' } });
  });

  test('of a caller whose token changes is told already_issued at a repeat', async () => {
    const { url } = await lab.startApi({ authenticate: () => Promise.resolve(OF_AN_ISSUER) });
    const key = randomUUID();
    const first = await keyed(key, { url });
    expect(first).toMatchObject({ status: 201, body: { credential: { TOKEN: expect.any(String) } } });
    expect(await keyed(key, { url })).toMatchObject({
      status: 409,
      body: { code: 'already_issued', lease_id: first.body.lease_id },
    });
  });

  test('of a caller whose token changes is told already_issued by another token at the same time, too', async () => {
    const { url } = await lab.startApi({ authenticate: () => Promise.resolve(OF_AN_ISSUER) });
    const key = randomUUID();
    const made = lab.provider.calls.provision;
    const { held, letGo } = holdProvision();
    const [first, repeated] = [keyed(key, { url, token: 'one' }), keyed(key, { url, token: 'one' })];
    await held;
    const other = await Promise.race([keyed(key, { url, token: 'another' }), pause(3_000)]);
    letGo();
    const { status, body } = await first;
    expect({ status, body }).toMatchObject({ status: 201, body: { credential: { TOKEN: expect.any(String) } } });
    expect(other).toMatchObject({ status: 409, body: { code: 'already_issued', lease_id: body.lease_id } });
    // The very same token may have sent the same request twice.
    expect(await repeated).toMatchObject({ status: 201, body });
    expect(lab.provider.calls.provision).toBe(made + 1);
  });

  test('of two requests at once keeps the lease for the one that stays, whichever hangs up', async () => {
    for (const leaver of [0, 1]) {
      const key = randomUUID();
      const { held, letGo } = holdProvision();
      const client = new AbortController();
      const first = keyed(key, leaver === 0 ? { signal: client.signal } : {});
      await held;
      const second = keyed(key, leaver === 1 ? { signal: client.signal } : {});
      await pause(200);
      client.abort();
      await expect(leaver === 0 ? first : second).rejects.toThrow();
      await pause(200);
      letGo();
      const { status, body } = await (leaver === 0 ? second : first);
      expect({ status, body }).toMatchObject({ status: 201 });
      expect(lab.provider.of(body.lease_id)).toHaveLength(1);
      await pause(300);
      expect(await ask('GET', `/v1/leases/${body.lease_id}`)).toMatchObject({ body: { state: 'active' } });
    }
  });

  test('is free again once its client hung up, and a repeat that comes meanwhile is answered by another process', async () => {
    const { url: second } = await lab.startApi();
    const key = randomUUID();
    const { held, letGo } = holdProvision();
    const client = new AbortController();
    const first = keyed(key, { signal: client.signal });
    await held;
    client.abort();
    await expect(first).rejects.toThrow();
    await pause(200);
    lab.provider.before = () => undefined;
    const repeat = keyed(key, { url: second });
    letGo();
    const { status, body } = await repeat;
    expect({ status, body }).toMatchObject({ status: 201 });
    expect(lab.provider.of(body.lease_id)).toHaveLength(1);
  });

  test.each([
    ['nothing', ''],
    ['256 characters', 'x'.repeat(256)],
    ['what is not ASCII', 'ü'],
  ])('of %s is refused', async (_, key) => {
    expect(await keyed(key)).toMatchObject({ status: 400, body: { code: 'invalid_input', field: 'idempotency-key' } });
  });
});

describe('others’ leases', () => {
  test('are to everybody but an admin of their scope as if there were none', async () => {
    const leaseId = await issued();
    // The fork is of the same holder, and may not act where this lease is.
    const strangers = ['other', 'elsewhere', 'far-admin', 'two-places', 'fork'];
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['POST', '/extend', { ttl: '5m' }],
      ['POST', '/revoke', {}],
      ['POST', '/abandon', { reason: 'mine' }],
    ];
    for (const name of strangers) {
      const token = lab.tokens[name];
      for (const [method, path, body] of calls) {
        const theirs = await ask(method, `/v1/leases/${leaseId}${path}`, { token, body });
        const none = await ask(method, `/v1/leases/${UNKNOWN}${path}`, { token, body });
        expect(theirs).toMatchObject({ status: 404, body: { code: 'lease_not_found' } });
        const told = JSON.stringify(theirs.body).replaceAll(leaseId, UNKNOWN);
        expect(JSON.parse(told)).toEqual({ ...none.body, request_id: theirs.body.request_id });
      }
      const list = await ask('GET', '/v1/leases?live=true', { token });
      expect(list.body.leases).toEqual([]);
    }
    expect(lab.provider.of(leaseId)).toHaveLength(1);
  });

  test('are not told by the cursor of a list either', async () => {
    const leaseId = await issued();
    await eventually(async () => (await listed('ci')).includes(leaseId), 'the index to know the lease');
    for (const name of ['far-admin', 'two-places', 'fork']) {
      for (const query of [
        `entity=${lab.provider.of(leaseId)[0]}`,
        'holder=token:ci',
        'project=backend',
        'live=true',
      ]) {
        const { body } = await ask('GET', `/v1/leases?limit=1&${query}`, { token: lab.tokens[name] });
        expect({ name, query, body }).toEqual({ name, query, body: { leases: [], next_cursor: null } });
      }
    }
  });

  test('cannot be listed by naming their holder', async () => {
    const leaseId = await issued();
    await eventually(async () => (await listed('ci')).includes(leaseId), 'the index to know the lease');
    expect(await listed('other', '?holder=token:ci')).toEqual([]);
    expect(await listed('far-admin', '?holder=token:ci')).toEqual([]);
    expect(await listed('far-admin', `?entity=${lab.provider.of(leaseId)[0]}`)).toEqual([]);
  });
});

async function listed(name: string, query = ''): Promise<string[]> {
  const { status, body } = await ask('GET', `/v1/leases${query}`, { token: lab.tokens[name] });
  expect(status).toBe(200);
  return body.leases.map(({ lease_id: id }) => id);
}

describe('lists', () => {
  test('show an admin all leases of its scopes, and from an entity the lease and its holder', async () => {
    const mine = await issued();
    const theirs = await issued({ token: lab.tokens['other'] });
    await eventually(async () => (await listed('backend-admin', '?live=true')).length === 2, 'the index to know both');
    expect((await listed('admin', '?live=true')).sort()).toEqual([mine, theirs].sort());
    expect(await listed('ci', '?live=true')).toEqual([mine]);
    const { body } = await ask('GET', `/v1/leases?entity=${lab.provider.of(theirs)[0]}`, {
      token: lab.tokens['admin'],
    });
    expect(body.leases).toMatchObject([{ lease_id: theirs, holder: 'token:other', integration: 'memory' }]);
  });

  test('come in pages that together are whole', async () => {
    const ids = [await issued(), await issued(), await issued()];
    await eventually(async () => (await listed('ci', '?live=true')).length === 3, 'the index to know all');
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: ApiAnswer = await ask('GET', `/v1/leases?live=true&limit=2${cursor && `&cursor=${cursor}`}`);
      expect(body.leases.length).toBeLessThanOrEqual(2);
      found.push(...body.leases.map(({ lease_id: id }) => id));
      cursor = body.next_cursor;
    }
    expect(found.sort()).toEqual(ids.sort());
  });

  test.each([
    '?limit=0',
    '?limit=1001',
    '?limit=x',
    '?state=gone',
    '?live=yes',
    '?nothing=1',
    '?cursor=!',
    '?cursor=AAAA',
    '?holder=',
  ])('are refused with %s', async (query) => {
    expect(await ask('GET', `/v1/leases${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
  });

  test('need the right to read', async () => {
    expect(await ask('GET', '/v1/leases', { token: lab.tokens['issuer'] })).toMatchObject({ status: 403 });
  });
});

describe('one lease', () => {
  test('is shown to its holder until and after its end', async () => {
    const leaseId = await issued();
    expect(await ask('GET', `/v1/leases/${leaseId}`)).toMatchObject({
      status: 200,
      body: { state: 'active', holder: 'token:ci', entity: lab.provider.of(leaseId)[0], ended_by: null, failure: null },
    });
    await ask('POST', `/v1/leases/${leaseId}/revoke`, { body: { wait: true, reason: 'done' } });
    expect(await ask('GET', `/v1/leases/${leaseId}`)).toMatchObject({
      body: { state: 'revoked', ended_by: 'token:ci', reason: 'done', ended_at: expect.stringMatching(/Z$/) },
    });
  });

  test('is extended and shortened by its holder with the right to lease, and by an admin', async () => {
    const leaseId = await issued();
    const path = `/v1/leases/${leaseId}/extend`;
    expect(await ask('POST', path, { token: lab.tokens['reader'], body: { ttl: '20m' } })).toMatchObject({
      status: 403,
    });
    const { status, body } = await ask('POST', path, { body: { ttl: '20m' } });
    expect(status).toBe(200);
    expect(Math.abs(Date.parse(body.expires_at) - Date.now() - 1_200_000)).toBeLessThan(15_000);
    const shorter = await ask('POST', path, { token: lab.tokens['backend-admin'], body: { ttl: 60 } });
    expect(Date.parse(shorter.body.expires_at)).toBeLessThan(Date.parse(body.expires_at));
    expect(await ask('POST', path, { body: { ttl: '13h' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid_ttl', lease_id: leaseId },
    });
  });

  test('is revoked: accepted at once, confirmed where it is waited for, and again without harm', async () => {
    const leaseId = await issued();
    const path = `/v1/leases/${leaseId}/revoke`;
    expect(await ask('POST', path, { token: lab.tokens['reader'] })).toMatchObject({ status: 403 });
    lab.provider.fail('Unavailable', 'deprovision');
    expect(await ask('POST', path)).toMatchObject({ status: 202, body: { state: 'accepted', lease_id: leaseId } });
    expect(await ask('POST', path, { body: { wait: '1s' } })).toMatchObject({
      status: 202,
      body: { state: 'accepted' },
    });
    expect(lab.provider.of(leaseId)).toHaveLength(1);
    lab.provider.heal();
    await lab.handle(leaseId).signal('nudge');
    expect(await ask('POST', path, { body: { wait: true } })).toMatchObject({
      status: 200,
      body: { state: 'revoked' },
    });
    expect(lab.provider.of(leaseId)).toHaveLength(0);
    expect(await ask('POST', path)).toMatchObject({ status: 200, body: { state: 'revoked', ended_by: 'token:ci' } });
    expect(lab.events(leaseId)).toContain('revoke_requested');
  });

  test('is revoked even where that cannot be written down', async () => {
    const leaseId = await issued();
    lab.breakAudit(true);
    expect(await ask('POST', `/v1/leases/${leaseId}/revoke`)).toMatchObject({ status: 202 });
    await eventually(async () => lab.provider.of(leaseId).length === 0, 'the credential to be removed');
    lab.breakAudit(false);
    expect(lab.apiLogs()).toContain('A revoke is not in the audit log.');
  });

  test.each([['0s'], ['6m'], [''], ['soon']])('is not revoked with a wait of %j', async (wait) => {
    const leaseId = await issued();
    expect(await ask('POST', `/v1/leases/${leaseId}/revoke`, { body: { wait } })).toMatchObject({
      status: 400,
      body: { field: 'wait' },
    });
    expect(await ask('GET', `/v1/leases/${leaseId}`)).toMatchObject({ body: { state: 'active' } });
  });

  test('is abandoned by an admin of its scope with a reason, which is written down before', async () => {
    const leaseId = await issued();
    const path = `/v1/leases/${leaseId}/abandon`;
    const token = lab.tokens['backend-admin'];
    expect(await ask('POST', path, { body: { reason: 'mine' } })).toMatchObject({ status: 403 });
    expect(await ask('POST', path, { token, body: {} })).toMatchObject({ status: 400, body: { field: 'reason' } });
    lab.provider.fail('Unavailable', 'deprovision');
    await ask('POST', `/v1/leases/${leaseId}/revoke`);
    await eventually(
      async () => (await ask('GET', `/v1/leases/${leaseId}`)).body.state !== 'active',
      'the removal to begin',
    );
    lab.breakAudit(true);
    expect(await ask('POST', path, { token, body: { reason: 'gone' } })).toMatchObject({ status: 502 });
    lab.breakAudit(false);
    expect(await ask('POST', path, { token, body: { reason: 'gone' } })).toMatchObject({
      status: 202,
      body: { state: 'accepted' },
    });
    expect(await lab.outcome(leaseId)).toMatchObject({ state: 'abandoned' });
    expect(lab.audit).toContainEqual(
      expect.objectContaining({ event: 'abandon_requested', leaseId, by: 'token:backend-admin', holder: 'token:ci' }),
    );
    expect(await ask('POST', path, { token, body: { reason: 'again' } })).toMatchObject({
      status: 409,
      body: { code: 'lease_ended', state: 'abandoned' },
    });
    lab.provider.entities.clear();
  });
});

describe('what there is', () => {
  test('is told of configs in scope, integrations to admins only', async () => {
    const { body } = await ask('GET', '/v1/dynamic-secrets');
    expect(body.dynamic_secrets).toEqual([
      {
        project: 'backend',
        config: 'prd',
        name: 'TOKEN',
        integration: null,
        fields: ['TOKEN'],
        flat_names: ['TOKEN_TOKEN', 'TOKEN_LEASE_ID', 'TOKEN_LEASE_EXPIRES_AT'],
        default_ttl_seconds: 1_800,
        min_ttl_seconds: 1,
        max_ttl_seconds: 43_200,
      },
    ]);
    const told = async (name: string, query = ''): Promise<unknown> =>
      (await ask('GET', `/v1/dynamic-secrets${query}`, { token: lab.tokens[name] })).body.dynamic_secrets;
    expect(await told('elsewhere')).toEqual([]);
    expect(await told('backend-admin')).toMatchObject([{ integration: 'memory' }]);
    expect(await told('admin', '?project=nothing')).toEqual([]);
    expect(await told('admin', '?project=backend&config=prd')).toHaveLength(1);
  });

  test('says who asks', async () => {
    expect((await ask('GET', '/v1/whoami', { token: lab.tokens['dated'] })).body).toEqual({
      token_id: 'token/dated',
      holder: 'token:dated',
      rights: ['read', 'lease', 'revoke-own'],
      scopes: ['*'],
      expires_at: '2999-01-31T00:00:00.000Z',
    });
  });

  test('describes itself to everybody, and only what is under /v1', async () => {
    const { status, body } = await ask('GET', '/v1/openapi.json', { token: null });
    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    const paths = Object.keys(body.paths);
    expect(paths).toEqual(expect.arrayContaining(['/v1/leases', '/v1/leases/{lease_id}/revoke', '/v1/whoami']));
    expect(paths.filter((path) => !path.startsWith('/v1/'))).toEqual([]);
    for (const path of Object.values(body.paths)) {
      for (const operation of Object.values(path)) {
        const { security } = operation as { readonly security?: readonly unknown[] };
        expect(operation).toMatchObject({
          operationId: expect.any(String),
          summary: expect.any(String),
          description: expect.any(String),
          // What is open to everybody can only be asked too often.
          responses: {
            [security?.length === 0 ? 429 : 401]: {
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
            },
          },
        });
      }
    }
  });

  test.each([
    ['PUT', '/v1/leases', 'GET, HEAD, POST'],
    ['DELETE', `/v1/leases/${UNKNOWN}`, 'GET, HEAD'],
    ['GET', `/v1/leases/${UNKNOWN}/revoke`, 'POST'],
  ])('is told at %s %s, where another method would do', async (method, path, allowed) => {
    const answer = await ask(method, path);
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed', success: false } });
    expect(answer.headers.get('allow')).toBe(allowed);
  });
});
