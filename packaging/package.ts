import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The folder of this package, from source and from dist/ alike, in a checkout and where it was installed. */
export function packageRoot(): string {
  let directory = __dirname;
  while (nameIn(directory) !== 'leasehold') {
    if (directory === dirname(directory)) throw new Error('The folder of the package was not found above this file.');
    directory = dirname(directory);
  }
  return directory;
}

/** Whether this package is worked on, and not just used. */
export function isCheckout(): boolean {
  return !packageRoot().split(sep).includes('node_modules');
}

/** Version of this package, and which versions of its peers fit it. */
export function manifest(): Manifest {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as Manifest;
}

function nameIn(directory: string): unknown {
  const file = join(directory, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name : undefined;
}
