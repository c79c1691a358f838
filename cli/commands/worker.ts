import type { Command } from 'commander';
import { createWorkerCommand } from '../../worker/command';
import type { WorkerFlags } from '../../worker/command';
import { act } from '../action';
import { withExamples } from '../examples';

/** `leasehold worker`: the process that makes and removes credentials. */
export function workerCommand(): Command {
  const command = createWorkerCommand('worker').action(
    act(async (flags: WorkerFlags) => (await import('../../worker/run.js')).runWorker(flags), 'worker'),
  );
  return withExamples(command, [
    ['leasehold worker --config leasehold.yaml', 'work for every integration'],
    ['leasehold worker --integrations aws-prod', 'work for one, in its own network and with its credential alone'],
  ]);
}
