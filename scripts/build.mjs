// Compiles to dist/ and bundles the workflows, so that a worker started from dist/ needs neither TypeScript nor webpack.
// With --clean nothing that an earlier build left is kept: what is packed is what stands in the sources.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true });
const tsc = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const { writeWorkflowBundle } = require('../dist/worker/bundle.js');
await writeWorkflowBundle();
