import { Command } from 'commander';

export interface ApiFlags {
  readonly config?: string;
  readonly listen?: string;
}

/** The command that serves, under either of its names. */
export function createApiCommand(name: string): Command {
  return new Command(name)
    .description('Serves leases over HTTP. Holds no credential of any provider.')
    .option('--config <file>', 'the configuration file (default: LEASEHOLD_CONFIG, else leasehold.yaml)')
    .option('--listen <host:port>', 'where to listen (default: LEASEHOLD_API, else 127.0.0.1:8400)')
    .addHelpText(
      'after',
      '\nThe connection to Temporal is set by TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE\nand the other TEMPORAL_* variables.',
    );
}
