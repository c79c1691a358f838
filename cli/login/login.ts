import { connectHttpLeases, LeaseError, offeredSignIns } from '../../client/http';
import type { SignInOffer, Whoami } from '../../client/http';
import { findHost, overridingVariable, warnOfListeners } from '../access';
import type { LoginFlags } from '../commands/login';
import { AuthError, EXIT, tellError, UsageError } from '../exit';
import { listenForInterrupt } from '../interrupt';
import { holdSettings } from '../settings';
import type { SignIn } from '../settings';
import { warn } from '../warn';
import { openIssuer } from './issuer';
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
  const interrupt = listenForInterrupt();
  const { signal } = interrupt;
  try {
    const found = flags.withToken === true ? await byToken(host, signal) : await byDevice(host, flags.identity, signal);
    try {
      if (signal.aborted) throw new LeaseError('Aborted', 'Signing in was called off. Nothing was stored.');
      await store(host, { ...found.signIn, ...(scope === null ? {} : { scope }) });
    } catch (error) {
      await found.forget();
      throw error;
    }
    tell(host, found, flags);
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

async function byToken(host: string, signal: AbortSignal): Promise<Found> {
  const token = await readToken(signal);
  const me = await whoIs(host, token, `${host} does not know this token, or its time is over. Nothing was stored.`);
  const signIn = { kind: 'token', token, expires_at: me.expiresAt?.toISOString() ?? null } as const;
  return { signIn, me, forget: () => Promise.resolve() };
}

async function byDevice(host: string, identity: string | undefined, signal: AbortSignal): Promise<Found> {
  const offer = choose(await offeredSignIns({ url: host }), identity, host);
  const { alias, issuer: address, clientId, token: presents } = offer;
  const issuer = await openIssuer({ issuer: address, clientId, presents });
  const device = await issuer.begin(offer.scopes, offer.parameters);
  invite(host, offer, device);
  const tokens = await issuer.wait(device, signal);
  const forget = (): Promise<unknown> => forgetAt(issuer, tokens);
  const why =
    `You are signed in at ${address}, but ${host} does not take its token: no rule of access.oidc.${alias} is about you, ` +
    'or the token is not meant for it (its audience). Nothing was stored.';
  const me = await whoIs(host, tokens.token, why).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  return { signIn: toSignIn({ identity: alias, issuer: address, client_id: clientId, presents }, tokens), me, forget };
}

function choose(offers: readonly SignInOffer[], identity: string | undefined, host: string): SignInOffer {
  const known = offers.map(({ alias }) => alias).join(', ');
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

/** Whoever named the issuer is the API: people see it before they go there. */
function invite(host: string, { alias, issuer }: SignInOffer, { url, code, wholeUrl, expiresAt }: Device): void {
  const end = expiresAt.toLocaleTimeString();
  const lines = [
    `To sign in at ${host}, as its issuer ${alias} (${issuer}) knows you, open`,
    `  ${url}`,
    `and enter the code`,
    `  ${code}`,
    ...(wholeUrl === null ? [] : [`or open ${wholeUrl}`]),
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

async function store(host: string, signIn: SignIn): Promise<void> {
  await holdSettings(({ settings, save }) =>
    save({ ...settings, host, sign_ins: { ...settings.sign_ins, [host]: signIn } }),
  );
}

function tell(host: string, { signIn, me }: Found, flags: LoginFlags): void {
  const { holder, rights, scopes } = me;
  const renews = signIn.kind === 'oidc' && signIn.refresh_token !== undefined;
  if (flags.json === true) {
    const line = { host, holder, rights, scopes, expires_at: signIn.expires_at, renews, scope: signIn.scope ?? null };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } else {
    const end = signIn.expires_at === null || renews ? '' : `, until ${signIn.expires_at}`;
    process.stdout.write(`Signed in at ${host} as ${holder} (${rights.join(', ')} in ${scopes.join(', ')})${end}.\n`);
  }
  const variable = overridingVariable();
  if (variable !== null) warn(`${variable} is set: as long as it is, commands use that token and not this sign-in.`);
}

function readScope({ project, config }: LoginFlags): string | null {
  if (project === undefined && config === undefined) return null;
  if (project !== undefined && config !== undefined) return `${project}/${config}`;
  throw new UsageError('--project and --config are stored together: name both, or none.');
}
