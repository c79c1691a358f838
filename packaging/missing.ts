import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { isCheckout, manifest, packageRoot } from './package';
import { PARTS } from './parts';
import type { Part } from './parts';

/** Optional packages are needed and are not there. The message is a sentence with the command that installs them. */
export class MissingPackages extends Error {
  override readonly name = 'MissingPackages';

  constructor(
    who: string,
    readonly packages: readonly string[],
  ) {
    super(`${who} needs packages that are not installed: ${installing(packages)}`);
  }
}

/**
 * To be called before the modules of that part are loaded.
 * @param who needs them, to begin a sentence, e.g. `leasehold worker`.
 * @throws MissingPackages
 */
export function requirePart(part: Part, who: string): void {
  const missing = missingOf(PARTS[part]);
  if (missing.length > 0) throw new MissingPackages(who, missing);
}

/** Those that cannot be found from here. */
function missingOf(packages: readonly string[]): readonly string[] {
  return packages.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch (error) {
      // Anything else, e.g. that it may only be imported, says that it is there.
      return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    }
  });
}

/** The command that installs packages, in versions that fit, so that they are found from here. */
export function installing(packages: readonly string[]): string {
  if (isCheckout()) return 'npm ci';
  const { version, peerDependencies } = manifest();
  const wanted = packages.map((name) => quoted(`${name}@${peerDependencies[name] ?? 'latest'}`));
  const root = packageRoot();
  // What npx installs is its own, and nobody's to add to.
  if (root.includes(`${sep}_npx${sep}`)) return ['npm install --global', `leasehold@${version}`, ...wanted].join(' ');
  const project = dirname(root.slice(0, root.lastIndexOf(`${sep}node_modules${sep}`) + 1 + 'node_modules'.length));
  const isProject = existsSync(join(project, 'package.json'));
  return [`npm install${isProject ? '' : ' --global'}`, ...wanted].join(' ');
}

/** Some shells take a caret for their own. */
function quoted(text: string): string {
  return text.includes('^') ? `"${text}"` : text;
}
