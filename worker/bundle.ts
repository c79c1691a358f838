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
  await writeFile(bundlePath, withoutSources(code));
}

const MAP_BEGINS = '//# sourceMappingURL=data:';

/**
 * The bundle with a map that names places in the sources and holds none of them: what is shipped is half as large, and tells
 * nothing of the machine that built it. Temporal's SDK needs a map, to say where in a workflow something failed.
 */
export function withoutSources(bundle: string): string {
  const begin = bundle.lastIndexOf(MAP_BEGINS);
  const [, encoded = ''] = bundle.slice(begin).trimEnd().split(';base64,');
  const { sources, ...map } = JSON.parse(Buffer.from(encoded, 'base64').toString()) as { readonly sources: string[] };
  const kept = { ...map, sources: sources.map(withoutPlace), sourcesContent: undefined };
  const again = Buffer.from(JSON.stringify(kept)).toString('base64');
  return `${bundle.slice(0, begin)}${MAP_BEGINS}application/json;charset=utf-8;base64,${again}\n`;
}

/** From the project on. */
function withoutPlace(source: string): string {
  const [, below] = /^\/.*?\/((?:node_modules|dist\/workflows|workflows)\/.*)$/.exec(source) ?? [];
  return below ?? source;
}

/** The bundle that the build left, or one made now when running from source. */
export async function findWorkflowBundle(): Promise<WorkflowBundleOption> {
  return existsSync(bundlePath) ? { codePath: bundlePath } : bundleWorkflows();
}

function ignore(): void {
  // The bundler reports sizes; its errors are thrown.
}

const silent = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
