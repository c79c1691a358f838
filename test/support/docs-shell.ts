import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { projectRoot } from '../../dev/root';
import type { DocBlock } from './doc-blocks';
import { provided } from './stack';

/** As the pages write the id of a lease that a reader has before them. */
export const SOME_LEASE = 'abcdefghijklmnopqrstuvwx';
/** Of which the pages make no secret that they are somebody else's: each sees whether it has got what was leased for it. */
const PROGRAMS = ['my-program', 'migrate', 'report', 'server'];
const LEASED = '#!/bin/sh\nenv | grep -q "_LEASE_ID="\n';
const LIMIT_MS = 90_000;
const LOOK_EVERY_MS = 100;

/** Where blocks are run. */
export interface DocsPlace {
  /** Made for the blocks of one page. */
  readonly directory: string;
  /** Has the configuration that the pages call leasehold.yaml. */
  readonly configFile: string;
  /** Where a reader's AWS programs find AWS, as a profile would tell them. */
  readonly awsEndpoint: string;
  /** What takes the place of the id that pages give to a lease. Default: nothing does. */
  readonly lease?: string;
  /** Told when a block begins, soon after, by its line. */
  readonly onBlock?: (line: number) => void;
  readonly environment: Readonly<Record<string, string>>;
}

/** How the blocks of a page ended. */
export interface Played {
  readonly code: number | null;
  /** The line of the block that was run last. */
  readonly line: number;
  readonly output: string;
}

/** Runs the blocks in their order in one shell, up to the first that does not end as the page says. */
export async function playBlocks(blocks: readonly DocBlock[], place: DocsPlace): Promise<Played> {
  const { directory } = place;
  const commands = join(directory, 'bin');
  const work = join(directory, 'work');
  await furnish(commands, work, place);
  const progress = join(directory, 'progress');
  const script = join(directory, 'script');
  await writeFile(
    script,
    blocks
      .map((block) => scriptOf(block, progress))
      .join('\n')
      .replaceAll(SOME_LEASE, place.lease ?? SOME_LEASE),
  );
  const child = spawn('bash', ['-euo', 'pipefail', script], {
    cwd: work,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...place.environment,
      PATH: [commands, process.env['PATH']].join(delimiter),
      HOME: directory,
      DOPPLER_CONFIG_DIR: join(directory, 'doppler'),
      // Nobody is asked who is not on this machine.
      HTTPS_PROXY: 'http://127.0.0.1:9',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // The shell and all that it has started, what it left in the background too.
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // Nothing is left.
    }
  };
  const limit = setTimeout(kill, LIMIT_MS);
  const lineNow = async (): Promise<number> => Number(await readFile(progress, 'utf8'));
  const watch = setInterval(() => void lineNow().then(place.onBlock, () => undefined), LOOK_EVERY_MS);
  process.once('exit', kill);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    return { code, line: await lineNow(), output };
  } finally {
    clearTimeout(limit);
    clearInterval(watch);
    kill();
    process.removeListener('exit', kill);
  }
}

function scriptOf({ line, code, remarks }: DocBlock, progress: string): string {
  const { before = '', exits } = remarks;
  const begin = `echo ${line} > '${progress}'\n${before}\n`;
  if (exits === undefined) return `${begin}${code}`;
  // Not `( … ) || …`, which lets a shell go on after a failure within.
  return `${begin}set +e\n(\nset -e\n${code})\ncode_of_block=$?\nset -e
[ "$code_of_block" = ${exits} ] || { echo "This exits with $code_of_block instead of ${exits}." >&2; exit 99; }\n`;
}

/** Makes the folder in which a reader would be, and the programs that a reader would have. */
async function furnish(
  commands: string,
  work: string,
  { directory, configFile, awsEndpoint }: DocsPlace,
): Promise<void> {
  const root = projectRoot();
  for (const folder of [commands, join(work, 'node_modules'), join(directory, 'doppler')])
    await mkdir(folder, { recursive: true });
  for (const name of ['examples', 'deploy', 'leasehold.example.yaml'])
    await symlink(join(root, name), join(work, name));
  await symlink(root, join(work, 'node_modules', 'leasehold'));
  await copyFile(configFile, join(work, 'leasehold.yaml'));
  for (const name of PROGRAMS) await writeFile(join(work, name), LEASED, { mode: 0o755 });
  await writeFile(
    join(directory, 'doppler', '.doppler.yaml'),
    'analytics:\n  disable: true\nflags:\n  analytics: false\n',
  );
  const { tools, doppler } = provided();
  const leasehold = `exec '${process.execPath}' '${join(root, 'dist', 'cli', 'main.js')}' "$@"`;
  const own: Record<string, string> = {
    // Somebody at a terminal is asked, and says yes.
    leasehold: `case "$*" in 'leases abandon '* | 'leases revoke '* | 'sweep --deployment '*) set -- "$@" --yes ;; esac\n${leasehold}`,
    // As npx finds it in a checkout, without npm's own time.
    npx: `[ "$1" = leasehold ] || exit 127\nshift\n${leasehold}`,
    doppler: `exec '${doppler}' --no-check-version "$@"`,
    node: `exec '${process.execPath}' "$@"`,
    aws: `export AWS_ENDPOINT_URL=${awsEndpoint} AWS_REGION=us-east-1\nexec '${process.execPath}' '${join(root, 'examples', 'list-buckets.mjs')}'`,
    terraform: ': "${DD_API_KEY:?}" "${DD_APP_KEY:?}"',
  };
  if (isAbsolute(tools.temporal)) own['temporal'] = `exec '${tools.temporal}' "$@"`;
  for (const [name, code] of Object.entries(own))
    await writeFile(join(commands, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
}
