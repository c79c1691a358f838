import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { startSdk } from '../support/doppler-sdk';
import type { SdkProcess } from '../support/doppler-sdk';
import { eventually } from '../support/lab';

const PLACE = { project: 'backend', config: 'prd' } as const;

let lab: ApiLab;
let sdk: SdkProcess;
let others: SdkProcess[];

beforeAll(async () => {
  lab = await openApiLab({ secrets: { GREETING: 'hello' } });
  sdk = startSdk(lab.url, lab.tokens['ci']!);
  others = [];
}, 60_000);

afterAll(async () => {
  await Promise.all([sdk, ...others].map((each) => each.close()));
  expect(lab.apiLogs() + JSON.stringify(lab.audit)).not.toContain('canary-');
  await lab.close();
});

async function issue(): Promise<{ id: string; value: Record<string, string>; expires_at: string }> {
  const answer = await sdk.call('dynamicSecrets', 'issueLease', { ...PLACE, dynamic_secret: 'TOKEN', ttl_sec: 900 });
  return answer as unknown as { id: string; value: Record<string, string>; expires_at: string };
}

test('lists and downloads, with leases only where they are asked for', async () => {
  const listed = await sdk.call('secrets', 'list', 'backend', 'prd');
  expect(listed['secrets']).toMatchObject({ GREETING: { computed: 'hello' }, TOKEN_TOKEN: { computed: null } });
  expect(await sdk.call('secrets', 'download', 'backend', 'prd')).toEqual({ GREETING: 'hello' });
  expect(lab.provider.entities.size).toBe(0);
  const options = { includeDynamicSecrets: true, dynamicSecretsTtlSec: 600 };
  const flat = (await sdk.call('secrets', 'download', 'backend', 'prd', options)) as Record<string, string>;
  const leaseId = flat['TOKEN_LEASE_ID']!;
  expect(flat).toEqual({
    GREETING: 'hello',
    TOKEN_TOKEN: `canary-${leaseId}`,
    TOKEN_LEASE_ID: leaseId,
    TOKEN_LEASE_EXPIRES_AT: expect.any(String),
  });
  await sdk.call('dynamicSecrets', 'revokeLease', { ...PLACE, dynamic_secret: 'TOKEN', slug: leaseId });
  await eventually(async () => lab.provider.entities.size === 0, 'the revoke');
});

test('issues and revokes, again and again over its kept connections', async () => {
  const before = lab.provider.calls.provision;
  for (let round = 0; round < 3; round += 1) {
    const { id, value, expires_at: end } = await issue();
    expect(value).toEqual({ TOKEN: `canary-${id}` });
    expect(Math.round((Date.parse(end) - Date.now()) / 60_000)).toBe(15);
    expect(lab.provider.of(id)).toHaveLength(1);
    const answer = await sdk.call('dynamicSecrets', 'revokeLease', { ...PLACE, dynamic_secret: 'TOKEN', slug: id });
    expect(answer).toEqual({ success: true, state: 'revoked' });
    expect(lab.provider.of(id)).toEqual([]);
    expect(lab.events(id)).toEqual(['issued', 'delivered', 'revoke_requested', 'revoked']);
    // Revoking what has ended succeeds.
    expect(
      await sdk.call('dynamicSecrets', 'revokeLease', { ...PLACE, dynamic_secret: 'TOKEN', slug: id }),
    ).toMatchObject({
      success: true,
    });
  }
  expect(lab.provider.calls.provision - before).toBe(3);
});

test('is told why nothing was issued, and asks only once', async () => {
  const before = lab.provider.calls.provision;
  lab.provider.fail('Refused', 'provision');
  await expect(issue()).rejects.toMatchObject({ statusCode: 502, detail: { code: 'refused' } });
  lab.provider.heal();
  expect(lab.provider.calls.provision - before).toBe(1);
  expect(lab.provider.entities.size).toBe(0);
});

test('revokes nothing that is another holder’s, or another dynamic secret’s', async () => {
  const { id } = await issue();
  const other = startSdk(lab.url, lab.tokens['other']!);
  others.push(other);
  const input = { ...PLACE, dynamic_secret: 'TOKEN', slug: id };
  await expect(other.call('dynamicSecrets', 'revokeLease', input)).rejects.toMatchObject({ statusCode: 404 });
  await expect(sdk.call('dynamicSecrets', 'revokeLease', { ...input, dynamic_secret: 'SECOND' })).rejects.toMatchObject(
    {
      statusCode: 404,
    },
  );
  expect(lab.provider.of(id)).toHaveLength(1);
  const admin = startSdk(lab.url, lab.tokens['admin']!);
  others.push(admin);
  await admin.call('dynamicSecrets', 'revokeLease', input);
  expect(lab.provider.of(id)).toEqual([]);
});
