import { findHost, overridingVariable } from '../access';
import type { AccessFlags } from '../access-options';
import { EXIT } from '../exit';
import { holdSettings } from '../settings';
import type { OidcSignIn, SignIn } from '../settings';
import { warn } from '../warn';
import { openIssuer } from './issuer';

/** See `logoutCommand`. */
export async function logout(flags: AccessFlags): Promise<number> {
  const host = await findHost(flags);
  const signIn = await forget(host);
  if (signIn === undefined) {
    process.stdout.write(`You are not signed in at ${host}: nothing is stored for it.\n`);
  } else {
    const revoked = signIn.kind === 'oidc' ? ` ${await revoke(signIn)}` : '';
    process.stdout.write(`Signed out of ${host}.${revoked} ${endOf(signIn)}\n`);
  }
  const variable = overridingVariable();
  if (variable !== null) warn(`${variable} is set: commands go on using that token.`);
  return EXIT.done;
}

async function forget(host: string): Promise<SignIn | undefined> {
  return holdSettings(async ({ settings, save }) => {
    const { [host]: signIn, ...others } = settings.sign_ins;
    if (signIn !== undefined) await save({ ...settings, sign_ins: others });
    return signIn;
  });
}

/** What became of the sign-in at its issuer, which is asked to renew nothing more. */
async function revoke(signIn: OidcSignIn): Promise<string> {
  const { issuer, client_id: clientId, presents, refresh_token: token } = signIn;
  if (token === undefined) return '';
  try {
    const opened = await openIssuer({ issuer, clientId, presents });
    if (await opened.revoke(token)) return `${issuer} renews it no more.`;
    return `${issuer} cannot be told so: end the session there, too.`;
  } catch {
    return `${issuer} could not be told so: end the session there, too.`;
  }
}

function endOf({ expires_at: end }: SignIn): string {
  if (end !== null && Date.now() >= Date.parse(end)) return 'Its token is no longer valid.';
  const until = end === null ? 'until it is taken out of the configuration' : `until ${end}`;
  return `Its token is not stored here any more, but whoever has a copy can use it ${until}.`;
}
