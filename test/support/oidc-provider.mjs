// An OpenID provider with the device flow, in a process of its own: it cannot be loaded by the tests' CommonJS. What people do in a
// browser is done by POST requests to its second address. It ends with its standard input.
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const settings = { id_token_ttl: 600, device_ttl: 600, away: false, ill: false };
const counts = { refreshed: 0, refused: 0, revoked: 0, begun: 0 };

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

let answer = () => undefined;
const { url: issuer } = await listen((request, response) => {
  if (settings.away) request.socket.destroy();
  else if (settings.ill) response.writeHead(502).end('<html>');
  else answer(request, response);
});

const client = {
  client_id: 'leasehold-cli',
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  response_types: [],
  redirect_uris: [],
};
const provider = new Provider(issuer, {
  clients: [client, { ...client, client_id: 'another' }],
  features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ['openid', 'offline_access', 'groups'],
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  ttl: {
    IdToken: () => settings.id_token_ttl,
    DeviceCode: () => settings.device_ttl,
    AccessToken: () => 600,
    RefreshToken: () => 3_600,
    Grant: () => 3_600,
    Session: () => 3_600,
  },
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  jwks: await keys(),
  cookies: { keys: ['of this process alone'] },
});

async function keys() {
  const { exportJWK, generateKeyPair } = await import('jose');
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] };
}

provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== 'device_authorization') return;
  counts.begun += 1;
  // Else the client waits five seconds between its questions.
  ctx.body.interval = 1;
});
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'refresh_token') counts.refreshed += 1;
});
provider.on('grant.error', (ctx) => {
  if (ctx.oidc.params?.grant_type === 'refresh_token') counts.refused += 1;
});
provider.on('revocation.error', (_, error) => process.stderr.write(`${error.stack}\n`));
provider.on('server_error', (_, error) => process.stderr.write(`${error.stack}\n`));
provider.on('refresh_token.destroyed', () => {
  counts.revoked += 1;
});
answer = provider.callback();

const find = (code) => provider.DeviceCode.findByUserCode(code.replaceAll('-', ''));
const acts = {
  set: (query) => {
    for (const [name, value] of query) settings[name] = JSON.parse(value);
  },
  approve: async (query) => {
    const code = await find(query.get('code'));
    const accountId = query.get('account');
    const grant = new provider.Grant({ accountId, clientId: code.clientId });
    grant.addOIDCScope('openid offline_access');
    const at = { authTime: Math.floor(Date.now() / 1_000), claims: {}, scope: 'openid offline_access' };
    Object.assign(code, at, { accountId, grantId: await grant.save() });
    await code.save();
  },
  deny: async (query) => {
    const code = await find(query.get('code'));
    Object.assign(code, { error: 'access_denied', errorDescription: 'they said no' });
    await code.save();
  },
  counts: () => counts,
};

const { url: control } = await listen((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://control');
  Promise.resolve(acts[pathname.slice(1)](searchParams)).then(
    (told) => response.end(JSON.stringify(told ?? {})),
    (error) => response.writeHead(500).end(error.stack),
  );
});
process.stdin.resume().on('close', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ issuer, control })}\n`);
