import { generateKeyPairSync, hkdfSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeToken } from '../../api/identity/token';
import { digestOf } from '../../sealing/parts';
import { ATTRIBUTES, LEASE_WORKFLOW } from '../../workflows/contract';
import { FORMAT_NAMES } from '../../flat/format-names';
import { historyText } from '../support/canaries';
import { eventually, pause } from '../support/base-lab';
import { inFull, isFull } from '../support/full';
import { openIssuer } from '../support/issuer';
import type { Issuer } from '../support/issuer';
import { startLeakHunt } from '../support/leak-hunt';
import { createLeakSearch } from '../support/leak-search';
import { openLeakLab } from '../support/leak-lab';
import type { LeakLab, LeakyProvider } from '../support/leak-lab';
import { startWebhookReceiver } from '../support/webhook-receiver';
import type { WebhookReceiver } from '../support/webhook-receiver';

// What faulty providers repeat in every error, as AWS does with session tokens in signature errors.
const ECHOED = 'FwoGZXIvYXdzCANARYEVERYWHERExyz0123456789';
const STATIC = 'CANARY static "secret" & more: 0123456789 äöü';
const HOOK_PATH = 'T0000/CANARYWEBHOOKPATHxyz0123456789';
const HOOK_SECRET = 'CANARYWEBHOOKSECRETxyz0123456789';
/** No secret: put where secrets must not be, to be found there. */
const PLANTED = 'planted-to-be-found-0123456789';
const PLACE = { project: 'backend', config: 'prd' };
const AUDIENCE = 'leasehold';
/** Faults whose answers repeat something. */
const KINDS = ['html-503', '500-after', 'error'] as const;

let receiver: WebhookReceiver;
let issuer: Issuer;
let lab: LeakLab;
const ci = makeToken('ci');
const admin = makeToken('admin');

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  issuer = await openIssuer(AUDIENCE);
  lab = await openLeakLab({
    echo: ECHOED,
    secrets: { STATIC },
    environment: { LAB_HOOK_URL: `${receiver.url}/${HOOK_PATH}`, LAB_HOOK_SECRET: HOOK_SECRET },
    file: {
      alerts: { webhooks: [{ url: 'env:LAB_HOOK_URL', format: 'json', secret: 'env:LAB_HOOK_SECRET' }] },
      access: {
        tokens: {
          ci: { hash: ci.hash, scopes: ['backend/prd'] },
          admin: { hash: admin.hash, scopes: ['*'], rights: ['read', 'lease', 'revoke-own', 'admin'] },
        },
        oidc: {
          github: {
            issuer: issuer.url,
            audience: AUDIENCE,
            rules: [{ claims: { repository: 'example/backend' }, scopes: ['backend/prd'] }],
          },
        },
      },
    },
  });
}, 90_000);

afterAll(async () => {
  await lab.close();
  await issuer.close();
  await receiver.close();
});

test('no credential, token or key of anybody is found anywhere, whichever call of which provider fails', async () => {
  const hunt = startLeakHunt('four integrations');
  const { canaries } = hunt;
  const hide = ({ secretFields }: LeakyProvider, lease: Readonly<Record<string, string>>, what: string): void => {
    for (const field of secretFields) canaries.add(`${what}: ${field}`, lease[field]!);
  };
  for (const [name, value] of lab.admins) canaries.add(name, value);
  canaries.add('what providers echo', ECHOED);
  canaries.add('the static secret', STATIC);
  canaries.add('path of the webhook', HOOK_PATH);
  canaries.add('secret of the webhook', HOOK_SECRET);
  canaries.add('a token', ci.token);
  canaries.add("an admin's token", admin.token);
  const jwt = await issuer.sign({ sub: 'repo:example/backend', repository: 'example/backend' });
  canaries.add("a holder's OIDC token", jwt);
  const foreign = await issuer.sign({ sub: 'nobody' });
  canaries.add("a stranger's OIDC token", foreign);
  const recipient = generateKeyPairSync('x25519');
  canaries.add("a recipient's private key", recipient.privateKey.export({ format: 'jwk' }).d!);
  canaries.add(
    "a recipient's private key as PEM",
    recipient.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  );

  const { worker, api } = await lab.startObserved();
  const ask = async (path: string, init: RequestInit = {}, token = ci.token): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(api.url + path, { ...init, headers: { ...headers, ...(init.headers as object) } });
    const text = await answer.text();
    hunt.place('answers of the API', `head of ${path}`, JSON.stringify([...answer.headers]));
    if (!answer.ok) hunt.place('answers of the API', `${answer.status} of ${path}`, text);
    return text;
  };
  const post = (path: string, body: unknown, headers = {}, token = ci.token): Promise<string> =>
    ask(path, { method: 'POST', body: JSON.stringify(body), headers }, token);

  // Each way to a lease, where nothing fails.
  const live: { readonly leaseId: string; readonly of: string }[] = [];
  for (const provider of lab.providers) provider.forget();
  await Promise.all(
    lab.providers.map(async (provider) => {
      const { dynamicSecret } = provider;
      const wanted = { ...PLACE, dynamic_secret: dynamicSecret };
      const lease = await lab.leases.issue({ ...PLACE, dynamicSecret, holder: 'tester' });
      live.push({ leaseId: lease.leaseId, of: dynamicSecret });
      hide(provider, lease.credential, `${dynamicSecret} of the library`);
      hunt.printed('leases as printed', dynamicSecret, lease);
      const key = `once-${dynamicSecret}`;
      hide(
        provider,
        credentialOf(await post('/v1/leases', wanted, { 'idempotency-key': key })),
        `${dynamicSecret} of a key`,
      );
      canaries.add(
        `derived key of ${dynamicSecret}`,
        derivedKey(ci.token, [PLACE.project, PLACE.config, dynamicSecret, key]),
      );
      const jwk = recipient.publicKey.export({ format: 'jwk' });
      expect(await post('/v1/leases', { ...wanted, recipient_jwk: jwk })).toContain('"sealed"');
      hide(provider, credentialOf(await post('/v1/leases', wanted, {}, jwt)), `${dynamicSecret} of an OIDC token`);
    }),
  );
  const operations = new Map(lab.providers.map((provider) => [provider, provider.operations()]));
  const download = `/v3/configs/config/secrets/download?include_dynamic_secrets=true&project=${PLACE.project}&config=${PLACE.config}`;
  await Promise.all(
    FORMAT_NAMES.map(async (format) => {
      const text = await ask(`${download}&format=${format}&secrets=STATIC,AWS`);
      const search = createLeakSearch(new Map([['static', STATIC]]));
      // Where values are to be, they are: the answers that are looked through are of the same kind.
      expect(search.find(Buffer.from(text))).toEqual(['static']);
      for (const [, found] of text.matchAll(/AWS_?SECRET_?ACCESS_?KEY"?[=:]\s*["']?([A-Za-z0-9+/]{40})/gi)) {
        canaries.add(`AWS as ${format}`, found!);
      }
    }),
  );

  // Each call of each provider, which fails in each way.
  await Promise.all(
    lab.providers.map(async (provider) => {
      for (const [nth, operation] of operations.get(provider)!.entries()) {
        const kinds = isFull ? KINDS : [KINDS[nth % KINDS.length]!];
        for (const kind of kinds) provider.fault({ operation, kind, ...(kind === 'error' ? provider.refusal : {}) });
      }
      const { dynamicSecret } = provider;
      await Promise.all(
        Array.from({ length: inFull(8, 3) }, async (_, nth) => {
          try {
            const lease = await lab.leases.issue({ ...PLACE, dynamicSecret, holder: `tester ${nth}` });
            live.push({ leaseId: lease.leaseId, of: dynamicSecret });
            hide(provider, lease.credential, `${dynamicSecret} after faults ${nth}`);
            if (dynamicSecret !== 'SESSION') await lease.extend('20m');
          } catch (error) {
            hunt.value('errors of the library', `${dynamicSecret} ${nth}`, error);
          }
        }),
      );
      const answered = await post('/v1/leases', { ...PLACE, dynamic_secret: dynamicSecret });
      if (answered.includes('"credential"')) hide(provider, credentialOf(answered), `${dynamicSecret} over HTTP`);
      provider.clearFaults();
      // To be removed, and refused: what does not end is described, alerted and stuck.
      if (dynamicSecret !== 'SESSION')
        provider.fault({ operation: '*', kind: 'error', ...provider.refusal, times: 1_000 });
    }),
  );
  const failed = await post('/v1/leases', { ...PLACE, dynamic_secret: 'DATADOG' });
  expect(failed).not.toContain('"credential"');
  await ask(download);
  for (const token of [foreign, makeToken('ci').token]) {
    canaries.add(`what is refused ${token.length}`, token);
    for (const path of [download, '/v3/me', '/v1/leases']) await ask(path, {}, token);
    await post('/v3/auth/oidc', { identity: 'github', token });
  }
  for (const path of [
    `/nowhere/${ci.token}?token=${ci.token}`,
    `/v1/leases?cursor=${jwt}`,
    '/v1/leases/none',
    '/v1/openapi.json',
    '/v1/whoami',
  ]) {
    hunt.place('answers of the API', path, await ask(path));
  }
  for (const { leaseId } of live) await lab.leases.revoke(leaseId, { reason: 'end' });
  await lab.until(live.find(({ of }) => of === 'AWS')!.leaseId, 'stuck');
  await eventually(async () => receiver.received.length > 0, 'an alert');
  for await (const { workflowId, runId, status } of lab.client.workflow.list()) {
    if (status.name !== 'RUNNING') continue;
    const { raw } = await lab.client.workflow.getHandle(workflowId, runId).describe();
    hunt.place('descriptions', workflowId, JSON.stringify(raw) + historyText(raw));
  }
  hunt.control('descriptions', 'leasehold.deprovision');
  for (const path of ['/v1/leases', '/v1/integrations', '/v1/dynamic-secrets', '/readyz', '/metrics']) {
    hunt.place('answers of the API', path, await ask(path, {}, admin.token));
  }
  for (const name of ['aws', 'sts', 'database', 'datadog']) {
    hunt.place(
      'answers of the API',
      `check of ${name}`,
      await post(`/v1/integrations/${name}/check`, {}, {}, admin.token),
    );
  }
  for (const [name, at] of [
    ['worker', worker.output()],
    ['API', api.output()],
  ] as const) {
    const url = /"metrics":"(http:[^"]+)"/.exec(at)![1]!;
    hunt.place('metrics', name, await (await fetch(`${url}/metrics`)).text());
  }
  for (const provider of lab.providers) provider.clearFaults();
  await eventually(
    async () => {
      for await (const { leaseId } of lab.leases.list({ live: true }))
        await lab.leases.revoke(leaseId).catch(() => undefined);
      const open = `WorkflowType = '${LEASE_WORKFLOW}' AND CloseTime IS NULL AND LeaseIntegration != 'sts'`;
      return (await lab.client.workflow.count(open)).count === 0;
    },
    'all leases to end',
    60_000,
  );

  // What is planted passes through all of Temporal as a lease does.
  const planted = await lab.client.workflow.start('planted', {
    workflowId: 'planted',
    taskQueue: 'nobody',
    args: [{ input: PLANTED }],
    memo: { planted: PLANTED },
    typedSearchAttributes: [{ key: ATTRIBUTES.holder, value: PLANTED }],
  });
  await pause(1_000);
  for (const kind of ['histories', 'visibility', 'database of Temporal']) hunt.control(kind, PLANTED);
  for await (const execution of lab.client.workflow.list()) {
    const handle = lab.client.workflow.getHandle(execution.workflowId, execution.runId);
    const name = `${execution.type} ${execution.workflowId}`;
    hunt.place('visibility', name, JSON.stringify(execution.raw) + historyText(execution.raw));
    hunt.place('histories', name, historyText(await handle.fetchHistory()));
    if (execution.type !== LEASE_WORKFLOW) continue;
    hunt.value('queries and results', name, await handle.query('lease').catch((error: unknown) => error));
    if (execution.status.name === 'RUNNING') continue;
    hunt.value('queries and results', name, await handle.result().catch((error: unknown) => error));
  }
  for await (const { scheduleId } of lab.client.schedule.list()) {
    const { raw } = await lab.client.schedule.getHandle(scheduleId).describe();
    hunt.place('schedules', scheduleId, JSON.stringify(raw) + historyText(raw));
  }
  const metrics = /Metrics:\s+(http\S+)/.exec(await readFile(join(lab.temporalDirectory, 'temporal.log'), 'utf8'))![1]!;
  hunt.place('metrics of Temporal', 'all', await (await fetch(metrics)).text());
  await hunt.files('database of Temporal', lab.temporalDirectory);
  await planted.terminate();
  await worker.stop();
  await api.stop();
  await lab.server.stop();
  await hunt.files('database of Temporal', lab.temporalDirectory);
  hunt.place('logs', 'worker', worker.output());
  hunt.place('logs', 'API', api.output());
  hunt.place('alerts', 'all', receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n'));
  hunt.place('log of PostgreSQL', 'all', await lab.databaseLog());
  // Leased passwords get there as what they can be checked by.
  hunt.control('log of PostgreSQL', 'SCRAM-SHA-256$4096');
  hunt.place('audit lines', lab.auditFile, await readFile(lab.auditFile));
  for (const directory of [lab.temporary, lab.work]) {
    await writeFile(join(directory, 'planted'), PLANTED);
    await hunt.files('temporary and working directories', directory);
  }
  hunt.control('temporary and working directories', PLANTED);
  const [{ leaseId }] = live as [(typeof live)[number]];
  for (const kind of [
    'queries and results',
    'histories',
    'audit lines',
    'answers of the API',
    'database of Temporal',
  ]) {
    hunt.control(kind, leaseId);
  }
  hunt.control('logs', 'The worker is ready.');
  hunt.control('logs', 'The API is ready.');
  hunt.control('leases as printed', leaseId);
  hunt.control('errors of the library', 'LeaseError: ');
  hunt.control('schedules', '"dryRun":false,"deployment":null');
  hunt.control('metrics', 'leasehold_leases_issued_total');
  hunt.control('metrics of Temporal', 'persistence_requests');
  hunt.control('alerts', 'cannot be removed');
  hunt.end();
}, 150_000);

function credentialOf(body: string): Readonly<Record<string, string>> {
  const { credential } = JSON.parse(body) as { readonly credential?: Readonly<Record<string, string>> };
  if (credential === undefined) throw new Error(`no credential was given: ${body}`);
  return credential;
}

/** The private key that an API makes of a token and an idempotency key, as sealing/derive.ts says. */
function derivedKey(token: string, what: readonly string[]): string {
  const info = digestOf('leasehold recipient 1 X25519', ['token:ci', ...what]);
  return Buffer.from(hkdfSync('sha256', Buffer.from(token), Buffer.alloc(0), info, 32)).toString('base64url');
}
