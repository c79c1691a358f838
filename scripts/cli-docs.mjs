// Writes the help of all commands into docs/cli.md. Run by `npm run docs`, which builds first.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { createProgram } = require('../dist/cli/program.js');
const { withCommands } = require('../dist/dev/cli-docs.js');
const page = new URL('../docs/cli.md', import.meta.url);
writeFileSync(page, withCommands(readFileSync(page, 'utf8'), createProgram()));
