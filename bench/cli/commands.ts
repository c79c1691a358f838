import { join } from 'node:path';
import { readVariable } from '../../config/environment';
import { projectRoot } from '../../dev/root';
import { manifest } from '../../packaging/package';
import type { Deployment } from '../deployment';
import type { OpenBao } from '../openbao';
import type { Typed } from './run-once';

export const TYPED = {
  true: 'true',
  node: 'node, which does nothing',
  version: 'leasehold --version',
  help: 'leasehold --help',
  list: 'leasehold leases list',
  lease: 'leasehold lease',
  run: 'leasehold run -- true',
  baoVersion: 'bao --version',
  baoRead: 'bao read database/creds/…',
} as const;

export interface CommandsOptions {
  readonly deployment: Pick<Deployment, 'url' | 'token' | 'what'>;
  readonly openbao: Pick<OpenBao, 'environment' | 'credentials'>;
  readonly bao: string;
  /** An empty directory: nobody has signed in, and nothing is remembered. */
  readonly home: string;
  /** Leases that live all the time, which a list must have. */
  readonly listed: number;
  /** Told of each lease that a command leaves behind. */
  readonly onLeased: (leaseId: string) => void;
  readonly onBaoLeased: (leaseId: string) => void;
}

/** What is run in turns. */
export function createCommands(options: CommandsOptions): readonly Typed[] {
  const { deployment, openbao, bao, home, listed, onLeased, onBaoLeased } = options;
  const { project, config, dynamicSecret } = deployment.what;
  const plain = { PATH: readVariable('PATH') ?? '/usr/bin:/bin', HOME: home };
  const own = {
    ...plain,
    LEASEHOLD_HOST: deployment.url,
    LEASEHOLD_TOKEN: deployment.token,
    LEASEHOLD_SCOPE: `${project}/${config}`,
  };
  const leasehold = (name: string, args: readonly string[], check: Typed['check']): Typed => ({
    name,
    command: process.execPath,
    args: [join(projectRoot(), 'dist', 'cli', 'main.js'), ...args],
    environment: own,
    check,
  });
  const ofBao = (name: string, args: readonly string[], check: Typed['check']): Typed => ({
    name,
    command: bao,
    args,
    environment: { ...plain, ...openbao.environment },
    check,
  });
  return [
    { name: TYPED.true, command: 'true', args: [], environment: plain, check: ignore },
    { name: TYPED.node, command: process.execPath, args: ['-e', '0'], environment: plain, check: ignore },
    leasehold(TYPED.version, ['--version'], (printed) => {
      expectThat(printed.trim() === manifest().version, `${TYPED.version} printed another version.`);
    }),
    leasehold(TYPED.help, ['--help'], (printed) => {
      expectThat(printed.includes('Usage: leasehold'), `${TYPED.help} printed no help.`);
    }),
    leasehold(TYPED.list, ['leases', 'list', '--json'], (printed) => {
      const lines = printed.trim().split('\n').length;
      expectThat(lines >= listed, `${TYPED.list} printed ${lines} leases of at least ${listed}.`);
    }),
    leasehold(TYPED.lease, ['lease', dynamicSecret, '--json'], (printed) => {
      onLeased(idIn(printed));
    }),
    leasehold(TYPED.run, ['run', '--', 'true'], ignore),
    ofBao(TYPED.baoVersion, ['--version'], (printed) => {
      expectThat(printed.includes('OpenBao v'), `${TYPED.baoVersion} printed no version.`);
    }),
    ofBao(TYPED.baoRead, ['read', '-format=json', openbao.credentials], (printed) => {
      onBaoLeased(idIn(printed));
    }),
  ];
}

/** The same as is measured, but what it runs shows that it has a credential. */
export function proveRun(commands: readonly Typed[], { dynamicSecret }: Deployment['what']): Typed {
  const run = commands.find(({ name }) => name === TYPED.run);
  if (run === undefined) throw new Error(`There is no ${TYPED.run}.`);
  return {
    ...run,
    name: 'leasehold run -- printenv',
    args: [...run.args.slice(0, -1), 'printenv', `${dynamicSecret}_URL`],
    check: (printed) => {
      expectThat(printed.startsWith('postgresql://'), 'leasehold run gave its program no credential.');
    },
  };
}

/** @throws Error which does not quote what was printed: a credential is in it. */
function idIn(printed: string): string {
  const { lease_id: id } = parse(printed) as { readonly lease_id?: unknown };
  if (typeof id !== 'string') throw new Error('What was leased has no id.');
  return id;
}

function parse(printed: string): unknown {
  try {
    return JSON.parse(printed);
  } catch {
    throw new Error('What was printed for a lease is no JSON.');
  }
}

function expectThat(seen: boolean, otherwise: string): void {
  if (!seen) throw new Error(otherwise);
}

function ignore(): void {
  // It prints nothing of interest.
}
