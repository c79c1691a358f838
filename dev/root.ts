import { homedir } from 'node:os';
import { join } from 'node:path';
import { readVariable } from '../config/environment';
import { isCheckout, packageRoot } from '../packaging/package';

/** The project's own folder, from source and from dist/ alike. */
export function projectRoot(): string {
  return packageRoot();
}

/**
 * Where everything goes that the stack installs and keeps. In the project's folder, not in git; where Leasehold was installed,
 * which may be nobody's to write to, in the user's own.
 */
export function stackDirectory(): string {
  if (isCheckout()) return join(projectRoot(), '.leasehold');
  const states = readVariable('XDG_STATE_HOME') ?? '';
  return join(states.startsWith('/') ? states : join(homedir(), '.local', 'state'), 'leasehold');
}
