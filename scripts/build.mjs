// Compiles to dist/ and bundles the workflows, so that a worker started from dist/ needs neither TypeScript nor webpack.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const tsc = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const { writeWorkflowBundle } = require('../dist/worker/bundle.js');
await writeWorkflowBundle();
