import { Command } from 'commander';
import type { PlaceFlags } from '../access-options';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface LoginFlags extends Omit<PlaceFlags, 'tokenFile'> {
  readonly withToken?: boolean;
  readonly identity?: string;
  readonly json?: boolean;
}

/** `leasehold login`: a sign-in that the commands after it use. */
export function loginCommand(): Command {
  const command = new Command('login')
    .description(
      'Signs in at a Leasehold API for the commands that follow: in a browser, through an OIDC issuer that the API names, or with a token.',
    )
    .option('--host <url>', 'address of the HTTP API (default: LEASEHOLD_HOST, else where you signed in last)')
    .option('--with-token', 'read a token from standard input instead, or from a prompt that does not show it')
    .option('--identity <alias>', 'which of the issuers that the API knows (default: the only one)')
    .option('--project <project>', 'the project of commands that name none')
    .option('--config <config>', 'the config of commands that name none')
    .option('--json', 'print who you are now as JSON')
    .action(act(async (flags: LoginFlags) => (await import('../login/login.js')).login(flags)));
  return withExamples(withNotes(command, NOTE), [
    ['leasehold login --host https://leasehold.internal:8443', 'sign in in a browser, on this or on another machine'],
    ['leasehold login --project backend --config prd', 'again, with a config for the commands that name none'],
    ['leasehold login --host https://leasehold.internal:8443 --with-token < backend.token', 'store a token'],
  ]);
}

const NOTE =
  'The sign-in is kept in ~/.config/leasehold/settings.json (LEASEHOLD_SETTINGS names another file), for you alone (mode 0600). ' +
  'Its token is sent to the host it was stored for and nowhere else. LEASEHOLD_TOKEN and LEASEHOLD_TOKEN_FILE go before it.';
