import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../dev/root';

/**
 * What a page can say of the block that follows, to the tests alone, in comments before it: `<!-- exits: 4 -->`.
 *
 * - `not run`: why it is not run or checked, see {@link isKnownReason}.
 * - `exits`: the exit code that it shows. Default: 0.
 * - `before`: shell commands that make what the page takes for granted, e.g. a program of the reader's.
 * - `given`: declarations that a block of TypeScript takes for granted.
 * - `part of`: where in a configuration a block of YAML stands, e.g. `projects.backend.configs.prd`.
 */
const REMARKS = ['not run', 'exits', 'before', 'given', 'part of'] as const;

export type Remark = (typeof REMARKS)[number];

/** A fenced block of a page. */
export interface DocBlock {
  readonly page: string;
  /** Where its first line is, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** Without the indentation of the fence. */
  readonly code: string;
  readonly remarks: Readonly<Partial<Record<Remark, string>>>;
}

/** Of which a block is not run: those whose reason begins so, and none without a reason. */
const KINDS = [
  /^needs (Docker|Kubernetes|a cluster|a cloud account|an account of [A-Z]|tcld|another machine|the machine of|the audit log|root)/,
  /^asks a person\b/,
  /^installs\b/,
  /^runs for long\b/,
];

/** Whether the reason is one of the few for which a block need not be run. One that another test runs names its file, which is there. */
export function isKnownReason(reason: string): boolean {
  const [, file] = /^run by (test\/\S+\.test\.ts)$/.exec(reason) ?? [];
  if (file !== undefined) return existsSync(join(projectRoot(), file));
  return KINDS.some((kind) => kind.test(reason));
}

/** The README and all pages below docs/, from the project's folder on. */
export function docPages(): readonly string[] {
  return ['README.md', ...pagesBelow('docs')];
}

/** All pages below a folder. */
export function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(projectRoot(), folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return pagesBelow(path);
      return path.endsWith('.md') ? [path] : [];
    })
    .toSorted();
}

export function readPage(page: string): string {
  return readFileSync(join(projectRoot(), page), 'utf8');
}

/** The blocks of a page in these languages, in their order. */
export function blocksOf(page: string, ...languages: readonly string[]): readonly DocBlock[] {
  return parseBlocks(page, readPage(page)).filter(({ language }) => languages.includes(language));
}

/** All blocks of a text. A comment counts for the block that follows it, with nothing but blank lines between. */
export function parseBlocks(page: string, text: string): readonly DocBlock[] {
  const blocks: DocBlock[] = [];
  const lines = text.split('\n');
  let remarks: Partial<Record<Remark, string>> = {};
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const [, indent = '', fence, language = ''] = /^( *)(`{3,})([\w-]*)\s*$/.exec(line) ?? [];
    if (fence !== undefined) {
      const end = lines.findIndex((each, index) => index > at && each.trim() === fence);
      if (end === -1) throw new Error(`${page}:${at + 1}: a block begins here that does not end.`);
      const code = lines.slice(at + 1, end).map((each) => (each.startsWith(indent) ? each.slice(indent.length) : each));
      blocks.push({ page, line: at + 2, language, code: code.map((each) => `${each}\n`).join(''), remarks });
      remarks = {};
      at = end;
    } else if (/^ *<!--/.test(line)) {
      const end = lines.findIndex((each, index) => index >= at && each.includes('-->'));
      if (end === -1) throw new Error(`${page}:${at + 1}: a comment begins here that does not end.`);
      remarks = { ...remarks, ...readRemark(lines.slice(at, end + 1).join('\n')) };
      at = end;
    } else if (line.trim() !== '') {
      remarks = {};
    }
  }
  return blocks;
}

/** Other comments are none of the tests' business. */
function readRemark(comment: string): Partial<Record<Remark, string>> {
  const [, name, text = ''] = /^\s*<!--\s*([a-z ]+):\s(.*?)\s*-->/s.exec(comment) ?? [];
  const remark = REMARKS.find((known) => known === name);
  return remark === undefined ? {} : { [remark]: text };
}
