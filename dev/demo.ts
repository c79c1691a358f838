import { Connection } from '@temporalio/client';
import { connectLeases } from '../client/temporal';
import { revokeAwsEarly, useAwsUntilItExpires } from './demo/aws';
import { revokeDatadogEarly } from './demo/datadog';
import { usePostgresUntilItIsCutOff } from './demo/postgres';
import { writeDevelopmentConfig } from './development';
import type { RunningProcess } from './process';
import { runProgram } from './run';
import { startStack } from './stack';
import { beginStory, say } from './story';
import type { Story } from './story';
import { startWorker } from './worker-process';

const ended = runProgram(async (signal) => {
  say('Leasehold: leases of AWS, PostgreSQL and Datadog credentials, from request to removal.\n');
  const stack = await startStack({ say });
  let worker: RunningProcess | undefined;
  try {
    const { temporal, logDirectory } = stack;
    const { file: configFile } = await writeDevelopmentConfig(logDirectory, stack);
    const start = (): Promise<RunningProcess> => startWorker({ ...stack, configFile });
    worker = await start();
    const connection = await Connection.connect({ address: temporal.address });
    const leases = await connectLeases({ connection, namespace: temporal.namespace });
    const story = beginStory();
    const replaceWorker = async (): Promise<void> => {
      await worker?.kill();
      worker = await start();
    };
    const scene = { stack, leases, story, signal, replaceWorker };
    try {
      await useAwsUntilItExpires(scene);
      await revokeAwsEarly(scene);
      await usePostgresUntilItIsCutOff(scene);
      await revokeDatadogEarly(scene);
      return conclude(story);
    } finally {
      await leases.close();
      await connection.close();
    }
  } finally {
    await worker?.stop();
    await stack.stop();
  }
});

void ended.then((code) => {
  process.exitCode = code;
});

function conclude(story: Story): number {
  const failed = story.failures();
  story.heading(failed === 0 ? 'Every claim was checked and held.' : `${failed} claims did not hold.`);
  return failed === 0 ? 0 : 1;
}
