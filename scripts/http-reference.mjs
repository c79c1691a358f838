// Writes docs/http-reference.md from the API's own description of its routes. Run by `npm run docs`, which builds first.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { describeAll, referenceOf } = require('../dist/dev/http-reference.js');
writeFileSync(new URL('../docs/http-reference.md', import.meta.url), referenceOf(await describeAll()));
