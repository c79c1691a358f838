import { deliver } from '../../../../cli/deliver';
import { issueLease } from '../../../../cli/leases/lease';
import { seal } from '../../../../sealing/seal';
import type { RecipientJwk } from '../../../../workflows/words';
import { json } from '../../../support/answering';
import { captureOutput } from '../../../support/captured-output';

jest.mock('../../../../cli/deliver');

const ID = 'a'.repeat(24);
const END = '2030-01-01T00:00:00.000Z';
const variables = process.env;
const captured = captureOutput();
let asked: string[];

/** An API that offers one thing and issues another. */
function issuing(credential: Readonly<Record<string, string>>): void {
  asked = [];
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (url, { body } = {}) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    switch (pathname) {
      case '/v1/dynamic-secrets': {
        const place = { project: 'backend', config: 'prd', name: 'DB', integration: null };
        const ttls = { default_ttl_seconds: 60, min_ttl_seconds: 60, max_ttl_seconds: 60 };
        return json({ dynamic_secrets: [{ ...place, fields: ['URL'], flat_names: ['DB_URL'], ...ttls }] });
      }
      case '/v1/leases': {
        const { recipient_jwk: jwk } = JSON.parse(body as string) as { recipient_jwk: RecipientJwk };
        const sealed = await seal(credential, jwk, ID);
        return json({ lease_id: ID, expires_at: END, usable_at: null, sealed, facts: {}, notes: [] }, 201);
      }
      default:
        return json({ lease_id: ID, state: 'accepted', ended_at: null, ended_by: null, reason: null }, 202);
    }
  });
}

beforeEach(() => {
  jest.mocked(deliver).mockClear();
  process.env = { ...variables, LEASEHOLD_HOST: 'https://leasehold.test', LEASEHOLD_TOKEN: 'token-of-the-test' };
});

afterEach(() => {
  process.env = variables;
});

const place = { project: 'backend', config: 'prd' };

test.each([{ env: true }, { json: true }, { plain: 'URL' }, {}])(
  'a lease with another field than was offered is revoked and not printed, with %j',
  async (format) => {
    issuing({ URL: 'canary', LD_PRELOAD: 'canary' });
    expect(await issueLease('DB', { ...place, ...format })).toBe(1);
    expect(asked).toEqual(['/v1/dynamic-secrets', '/v1/leases', `/v1/leases/${ID}/revoke`]);
    expect(deliver).not.toHaveBeenCalled();
    expect(captured).toEqual({
      stdout: '',
      stderr: `What was issued has the field LD_PRELOAD as well: its dynamic secret has just changed. Lease ${ID} was revoked.\n`,
    });
  },
);

test('a lease with the fields that were offered is printed as a shell reads it', async () => {
  issuing({ URL: 'postgres://x' });
  expect(await issueLease('DB', { ...place, env: true })).toBe(0);
  expect(deliver).toHaveBeenCalledWith(expect.stringContaining('DB_URL="postgres://x"\n'), expect.anything());
  expect(asked).toEqual(['/v1/dynamic-secrets', '/v1/leases']);
});
