import { resolve } from 'node:path';
import { Command } from 'commander';
import { act } from '../action';
import { withExamples, withNotes } from '../examples';

export interface StartFlags {
  readonly stateDir?: string;
}

/** `leasehold start`: everything that leases need, on one machine. */
export function startCommand(): Command {
  const command = new Command('start')
    .description(
      'Runs Temporal, PostgreSQL, emulators of AWS and Datadog, a worker and the HTTP API on this machine, to develop against.',
    )
    .option(
      '--state-dir <directory>',
      'keeps leases and what is installed (default: $XDG_STATE_HOME/leasehold or ~/.local/state/leasehold; in a checkout .leasehold)',
      (directory: string) => resolve(directory),
    )
    .action(act(async ({ stateDir }: StartFlags) => (await import('../../dev/start.js')).start(stateDir), 'stack'));
  return withExamples(withNotes(command, NOTE), [
    ['leasehold start', 'run it all until Ctrl-C, and print how to reach it'],
    ['LEASEHOLD_CONFIG=leasehold.yaml leasehold start', 'lease by a configuration of your own'],
  ]);
}

const NOTE =
  'Temporal and the AWS emulator are installed from PyPI at the first start, which needs Python 3.10 or newer, or uv.';
