import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startAwsStack } from '../../dev/stack';
import type { AwsParts, Stack } from '../../dev/stack';
import { installDoppler, installSchemathesis, installTestServer } from '../../dev/tools';
import { bundleWorkflows } from '../../worker/bundle';
import type { ProvidedStack } from './stack';
import { STACK_VARIABLE } from './stack';

declare global {
  // Jest runs set-up and teardown in one process and hands nothing over by itself.
  var leaseholdTestStack: { readonly stack: Stack<AwsParts>; readonly unwatch: () => void } | undefined;
}

/** Starts the servers that the tests of test/server share; those of one provider's tests alone start their own. Its programs end with jest, whatever ends it. */
export default async function startSharedStack(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const testServer = await installTestServer(say);
  const doppler = await installDoppler(say);
  const schemathesis = await installSchemathesis(say);
  const stack = await startAwsStack({ say });
  globalThis.leaseholdTestStack = { stack, unwatch: removeWhenInterrupted(stack.logDirectory) };
  const { temporal, aws, tools, logDirectory } = stack;
  const workflowBundle = join(logDirectory, 'workflow-bundle.js');
  await writeFile(workflowBundle, (await bundleWorkflows()).code);
  const provided: ProvidedStack = {
    temporal: { address: temporal.address, namespace: temporal.namespace, uiUrl: temporal.uiUrl ?? '' },
    aws: {
      url: aws.url,
      region: aws.region,
      accountId: aws.accountId,
      accessKeyId: aws.accessKeyId,
      secretAccessKey: aws.secretAccessKey,
    },
    tools,
    testServer,
    doppler,
    schemathesis,
    workflowBundle,
    directory: logDirectory,
  };
  process.env[STACK_VARIABLE] = JSON.stringify(provided);
}

/** The directory too goes when jest is interrupted, which then ends as it would have. */
function removeWhenInterrupted(directory: string): () => void {
  const remove = (): void => {
    rmSync(directory, { recursive: true, force: true });
  };
  const interrupt = (signal: NodeJS.Signals): void => {
    unwatch();
    remove();
    process.kill(process.pid, signal);
  };
  const unwatch = (): void => {
    process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt).removeListener('exit', remove);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('exit', remove);
  return unwatch;
}
