import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { projectRoot } from '../../dev/root';

/** What is loaded with a module, transitively. Imports of types alone are none. */
export interface Loaded {
  /** Our own sources, from the project's folder on. */
  readonly files: ReadonlySet<string>;
  /** Names of packages that are not Node's own. */
  readonly packages: ReadonlySet<string>;
}

const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const LATER = /(?<!typeof )\bimport\('([^']+)'\)/g;
const builtin = new Set(builtinModules);

/**
 * @param entries sources, from the project's folder on.
 * @param followLater whether what is imported only when it is needed, by `import()`, counts.
 */
export function loadedWith(entries: readonly string[], { followLater }: { readonly followLater: boolean }): Loaded {
  const files = new Set<string>();
  const packages = new Set<string>();
  const open = [...entries];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    const source = readFileSync(join(projectRoot(), file), 'utf8');
    for (const pattern of followLater ? [STATIC, LATER] : [STATIC]) {
      for (const [, name] of source.matchAll(pattern)) {
        if (name!.startsWith('.')) open.push(sourceOf(file, name!));
        else if (!isBuiltin(name!)) packages.add(packageOf(name!));
      }
    }
  }
  return { files, packages };
}

function sourceOf(from: string, name: string): string {
  const path = join(projectRoot(), dirname(from), name.replace(/\.js$/, ''));
  const found = [`${path}.ts`, join(path, 'index.ts')].find((each) => existsSync(each));
  if (found === undefined) throw new Error(`${from} imports ${name}, which is not there.`);
  return relative(projectRoot(), found);
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtin.has(name);
}

/** `@aws-sdk/client-iam` of `@aws-sdk/client-iam/dist/x.js`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}
