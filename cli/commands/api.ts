import type { Command } from 'commander';
import { createApiCommand } from '../../api/command';
import type { ApiFlags } from '../../api/command';
import { act } from '../action';
import { withExamples } from '../examples';

/** `leasehold api`: the process that serves leases over HTTP. */
export function apiCommand(): Command {
  const command = createApiCommand('api').action(
    act(async (flags: ApiFlags) => (await import('../../api/run.js')).runApi(flags), 'api'),
  );
  return withExamples(command, [
    ['leasehold api --config leasehold.yaml', 'serve on this machine alone'],
    ['leasehold api --listen 0.0.0.0:8400', 'serve on the network: set api.tls, or let a proxy end TLS'],
  ]);
}
