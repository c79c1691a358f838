import { Command } from 'commander';
import type { AccessFlags } from '../access-options';
import { act } from '../action';
import { withExamples } from '../examples';

/** `leasehold logout`: the end of a sign-in. */
export function logoutCommand(): Command {
  const command = new Command('logout')
    .description('Forgets the sign-in at a Leasehold API, and tells its OIDC issuer to renew it no more. Leases go on.')
    .option('--host <url>', 'address of the HTTP API (default: LEASEHOLD_HOST, else where you signed in last)')
    .action(act(async (flags: Pick<AccessFlags, 'host'>) => (await import('../login/logout.js')).logout(flags)));
  return withExamples(command, [
    ['leasehold logout', 'forget where you signed in last'],
    ['leasehold logout --host https://leasehold.internal:8443', 'forget one of several'],
  ]);
}
