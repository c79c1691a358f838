import { connectHttpLeases, LeaseError, offeredSignIns } from '../../client/http';
import type { SignInOffer, Whoami } from '../../client/http';
import { isOwnParameter } from '../../config/own-parameters';
import { quote } from '../../workflows/quote';
import { findHost, overridingVariable, warnOfListeners } from '../access';
import type { LoginFlags } from '../commands/login';
import { AuthError, EXIT, tellError, UsageError } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { printable } from '../output/printable';
import { holdSettings } from '../settings';
import type { SignIn } from '../settings';
import { warn } from '../warn';
import { isThisMachine, openIssuer } from './issuer';
import type { Device, IssuedTokens, Issuer } from './issuer';
import { toSignIn } from './kept-token';
import { readToken } from './read-token';

/** See `loginCommand`. */
export async function login(flags: LoginFlags): Promise<number> {
  const host = await findHost(flags);
  const scope = readScope(flags);
  // Before anybody signs in somewhere: what cannot be stored is of no use.
  await holdSettings(() => Promise.resolve());
  warnOfListeners(host);
  const find = flags.withToken === true ? byToken(host) : await byDevice(host, flags.identity);
  // Until here there is nothing to be undone, and Ctrl-C ends the process as ever.
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  try {
    const found = await find(signal);
    let signIn: SignIn;
    try {
      if (signal.aborted) throw new LeaseError('Aborted', 'Signing in was called off. Nothing was stored.');
      signIn = await store(host, found.signIn, scope);
    } catch (error) {
      await found.forget();
      throw error;
    }
    tell(host, { ...found, signIn }, flags);
    return EXIT.done;
  } catch (error) {
    const code = tellError(error);
    return signal.aborted ? EXIT.interrupted : code;
  } finally {
    interrupt.close();
  }
}

interface Found {
  readonly signIn: SignIn;
  readonly me: Whoami;
  /** Undoes at the issuer what is not kept here. */
  forget(): Promise<unknown>;
}

/** The rest of a sign-in, which can be called off. */
type Find = (signal: AbortSignal) => Promise<Found>;

function byToken(host: string): Find {
  return async (signal) => {
    const token = await readToken(signal);
    const me = await whoIs(host, token, `${host} does not know this token, or its time is over. Nothing was stored.`);
    const signIn = { kind: 'token', token, expires_at: me.expiresAt?.toISOString() ?? null } as const;
    return { signIn, me, forget: () => Promise.resolve() };
  };
}

async function byDevice(host: string, identity: string | undefined): Promise<Find> {
  const offer = choose(await offeredSignIns({ url: host }), identity, host);
  const { alias, issuer: address, clientId, token: presents } = offer;
  requireFitting(host, address);
  requireOwnWords(host, offer);
  const issuer = await openIssuer({ issuer: address, clientId, presents });
  const device = await issuer.begin(offer.scopes, offer.parameters);
  return async (signal) => {
    invite(host, offer, device);
    const tokens = await issuer.wait(device, signal);
    const forget = (): Promise<unknown> => forgetAt(issuer, tokens);
    const why =
      `You are signed in at ${address}, but ${host} does not take its token: no rule of access.oidc.${printable(alias)} is ` +
      'about you, or the token is not meant for it (its audience). Nothing was stored.';
    const me = await whoIs(host, tokens.token, why).catch(async (error: unknown) => {
      await forget();
      throw error;
    });
    const base = { identity: alias, issuer: address, client_id: clientId, presents };
    return { signIn: toSignIn(base, tokens), me, forget };
  };
}

/** Else an API elsewhere would have what runs on this machine alone asked by us. */
function requireFitting(host: string, issuer: string): void {
  if (!isThisMachine(issuer) || isThisMachine(host)) return;
  throw new LeaseError(
    'Unavailable',
    `${host} names an issuer on this machine, which it cannot itself ask. Nothing was asked.`,
  );
}

/** What is shown of client and scopes would not be what the issuer is asked for. */
function requireOwnWords(host: string, { parameters }: SignInOffer): void {
  const own = Object.keys(parameters).filter(isOwnParameter);
  if (own.length === 0) return;
  throw new LeaseError(
    'Unavailable',
    `${host} wants its issuer to be told another ${own.map(quote).join(', ')} than is shown here. Nothing was asked.`,
  );
}

function choose(offers: readonly SignInOffer[], identity: string | undefined, host: string): SignInOffer {
  const known = printable(offers.map(({ alias }) => alias).join(', '));
  const [first, ...more] = offers;
  if (first === undefined) {
    throw new UsageError(
      `${host} offers no sign-in by a browser. Get a token from whoever runs it, and: leasehold login --host ${host} --with-token`,
    );
  }
  if (identity === undefined && more.length > 0) {
    throw new UsageError(`Several issuers vouch for people at ${host}: name one with --identity. Known: ${known}.`);
  }
  const chosen = identity === undefined ? first : offers.find(({ alias }) => alias === identity);
  if (chosen !== undefined) return chosen;
  throw new UsageError(`${host} has no sign-in by the identity ${JSON.stringify(identity)}. Known: ${known}.`);
}

/**
 * Whoever named the issuer is the API: before people go there they see where, who gets which token, and all that the issuer was told of
 * it. An `audience` decides where a token is good.
 */
function invite(host: string, offer: SignInOffer, { url, code, wholeUrl, expiresAt }: Device): void {
  const end = expiresAt.toLocaleTimeString();
  const [alias, client, scopes] = [offer.alias, offer.clientId, offer.scopes.join(' ')].map(printable);
  const asked = scopes === '' ? 'no scopes' : scopes;
  const token = offer.token === 'id_token' ? 'ID token' : 'access token';
  const told = Object.entries(offer.parameters).map(([name, value]) => `  ${printable(`${name}=${value}`)}`);
  const lines = [
    `To sign in at ${host}, as its issuer ${alias} (${offer.issuer}) knows you, open`,
    `  ${url}`,
    `and enter the code`,
    `  ${code}`,
    ...(wholeUrl === null ? [] : [`or open ${wholeUrl}`]),
    `${host} gets the ${token}, made for client ${client} with ${asked}.`,
    ...(told.length === 0 ? [] : ['The issuer was told as well', ...told]),
    `Go on only if you trust ${host} with that.`,
    `Waiting until ${end}. Ctrl-C calls it off.`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
}

async function whoIs(host: string, token: string, unknown: string): Promise<Whoami> {
  try {
    return await connectHttpLeases({ url: host, token }).whoami();
  } catch (error) {
    throw error instanceof LeaseError && error.code === 'Unauthenticated' ? new AuthError(unknown) : error;
  }
}

async function forgetAt(issuer: Issuer, { refreshToken }: IssuedTokens): Promise<unknown> {
  return refreshToken === null ? undefined : issuer.revoke(refreshToken).catch(() => false);
}

/** @param named null: the config stays that of the sign-in before. */
async function store(host: string, signIn: SignIn, named: string | null): Promise<SignIn> {
  return holdSettings(async ({ settings, save }) => {
    const scope = named ?? settings.sign_ins[host]?.scope;
    const whole = { ...signIn, ...(scope === undefined ? {} : { scope }) };
    await save({ ...settings, host, sign_ins: { ...settings.sign_ins, [host]: whole } });
    return whole;
  });
}

function tell(host: string, { signIn, me }: Found, flags: LoginFlags): void {
  const { holder, rights, scopes } = me;
  const renews = signIn.kind === 'oidc' && signIn.refresh_token !== undefined;
  if (flags.json === true) {
    const line = { host, holder, rights, scopes, expires_at: signIn.expires_at, renews, scope: signIn.scope ?? null };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    const end = signIn.expires_at === null || renews ? '' : `, until ${signIn.expires_at}`;
    const who = printable(`${holder} (${rights.join(', ')} in ${scopes.join(', ')})`);
    process.stdout.write(`Signed in at ${host} as ${who}${end}.\n`);
  }
  const variable = overridingVariable();
  if (variable !== null) warn(`${variable} is set: as long as it is, commands use that token and not this sign-in.`);
}

function readScope({ project, config }: LoginFlags): string | null {
  if (project === undefined && config === undefined) return null;
  if (project === undefined || config === undefined)
    throw new UsageError('--project and --config are stored together: name both, or none.');
  const wrong = [project, config].find((name) => name === '' || name.includes('/'));
  if (wrong === undefined) return `${project}/${config}`;
  throw new UsageError(`${JSON.stringify(wrong)} is no name of a project or config. Nothing was stored.`);
}
