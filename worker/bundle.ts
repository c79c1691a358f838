import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';

/** Where the build leaves the bundle and a worker finds it. */
const bundlePath = join(__dirname, 'workflow-bundle.js');

/** The workflows as one script for the sandbox, built from source. */
export function bundleWorkflows(): Promise<{ code: string }> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../workflows/index'),
    workflowInterceptorModules: [
      require.resolve('../workflows/task-guard'),
      require.resolve('../workflows/readable-input'),
    ],
    logger: silent,
  });
}

/** Writes the bundle beside this file, as a part of the build. */
export async function writeWorkflowBundle(): Promise<void> {
  const { code } = await bundleWorkflows();
  await writeFile(bundlePath, code);
}

/** The bundle that the build left, or one made now when running from source. */
export async function findWorkflowBundle(): Promise<WorkflowBundleOption> {
  return existsSync(bundlePath) ? { codePath: bundlePath } : bundleWorkflows();
}

function ignore(): void {
  // The bundler reports sizes; its errors are thrown.
}

const silent = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
