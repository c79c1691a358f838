import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The project's own folder, from source and from dist/ alike. */
export function projectRoot(): string {
  for (let directory = __dirname; ; directory = dirname(directory)) {
    const file = join(directory, 'package.json');
    if (existsSync(file)) {
      const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
      if (name === 'leasehold') return directory;
    }
    if (directory === dirname(directory)) throw new Error('The project folder was not found above this file.');
  }
}

/** Where everything goes that the stack installs and keeps. Not in git. */
export function stackDirectory(): string {
  return join(projectRoot(), '.leasehold');
}
