// Keeps the workflow bundle of this version under test/releases, where later versions prove that leases begun under it end.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const directory = `test/releases/${version}`;
mkdirSync(directory, { recursive: true });
writeFileSync(
  `${directory}/workflow-bundle.js.gz`,
  gzipSync(readFileSync('dist/worker/workflow-bundle.js'), { level: 9 }),
);
