import { join } from 'node:path';
import ts from 'typescript';
import { projectRoot } from '../../../dev/root';
import { blocksOf, docPages } from '../../support/doc-blocks';
import type { DocBlock } from '../../support/doc-blocks';

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node20,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  types: ['node'],
  typeRoots: [join(projectRoot(), 'node_modules', '@types')],
  paths: {
    leasehold: [join(projectRoot(), 'client', 'temporal.ts')],
    'leasehold/http': [join(projectRoot(), 'client', 'http.ts')],
  },
};

/** What pages call by these names unless they say otherwise. */
const GIVEN = `export {};
declare global {
  const leases: import('leasehold').Leases;
  const lease: import('leasehold').Lease;
  const leaseId: string;
}`;

/** What the compiler has against each of the blocks, each taken as a module of its own. */
function objectionsTo(blocks: readonly DocBlock[]): readonly string[] {
  const given = join(projectRoot(), 'docs-given.d.mts');
  const files = new Map([[given, GIVEN]]);
  const places = new Map<string, DocBlock>();
  for (const block of blocks) {
    const file = join(projectRoot(), `docs-block-${places.size}.mts`);
    files.set(file, `${block.code}export {};\n${block.remarks.given ?? ''}\n`);
    places.set(file, block);
  }
  const machine = ts.createCompilerHost(OPTIONS);
  const host: ts.CompilerHost = {
    ...machine,
    fileExists: (name) => files.has(name) || machine.fileExists(name),
    readFile: (name) => files.get(name) ?? machine.readFile(name),
    getSourceFile: (name, version, ...rest) => {
      const text = files.get(name);
      return text === undefined
        ? machine.getSourceFile(name, version, ...rest)
        : ts.createSourceFile(name, text, version);
    },
  };
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  const objections = program
    .getOptionsDiagnostics()
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  for (const file of files.keys()) {
    const source = program.getSourceFile(file)!;
    const block = places.get(file);
    for (const { start = 0, messageText } of [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]) {
      const line = (block?.line ?? 1) + source.getLineAndCharacterOfPosition(start).line;
      objections.push(`${block?.page ?? file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
    }
  }
  return objections;
}

test('what the pages show in TypeScript is right by our own types, and what is not would be seen', () => {
  const blocks = docPages()
    .flatMap((page) => blocksOf(page, 'ts'))
    .filter(({ remarks }) => remarks['not run'] === undefined);
  const wrong: DocBlock = {
    page: 'wrong',
    line: 7,
    language: 'ts',
    code: "import { connectLeases } from 'leasehold';\n\nconst all = await connectLeases();\nawait all.issue({ projekt: 'a' });\n",
    remarks: {},
  };
  const objections = objectionsTo([...blocks, wrong]);
  expect(objections).toEqual([expect.stringMatching(/^wrong:10: .*'projekt'/)]);
}, 60_000);
