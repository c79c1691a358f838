import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Node, ParsedNode } from 'yaml';
import { ConfigError, keyOf, problemAt } from './problems';
import type { Path, Position, Problem } from './problems';
import { describeSyntax } from './syntax';

/** A YAML text as plain data. */
export interface PlainDocument {
  readonly value: unknown;
  /** Values that cannot be taken as they are written; each is `undefined` in `value`. */
  readonly faults: readonly Fault[];
  /** Where a value stands, or else the closest entry around it. */
  locate(path: Path): Position | undefined;
}

export interface Fault {
  readonly path: Path;
  readonly problem: Problem;
}

const MAX_SYNTAX_PROBLEMS = 20;
const MAX_DEPTH = 64;
/** Aliases counted at their full size, so that a short text cannot stand for an endless one. */
const MAX_VALUES = 100_000;

const OPTIONS = {
  // Whatever the text's own %YAML directive says: no dates, no binary, no merge keys, no yes and no.
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  // The parser's own check takes minutes for a large file; keys are compared below.
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/**
 * Reads YAML 1.2 with the core schema.
 * @param source names the text in errors.
 * @throws ConfigError if the text is no YAML. Problems never repeat what is written.
 */
export function readDocument(text: string, source: string): PlainDocument {
  const lines = new LineCounter();
  refuseControlCharacters(text, source);
  const document = parseDocument(text, { ...OPTIONS, lineCounter: lines });
  const syntax = [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_PROBLEMS);
  if (syntax.length > 0) {
    throw new ConfigError(
      source,
      syntax.map(({ code, pos }) => problemAt([], describeSyntax(code), positionOf(lines, pos[0]))),
    );
  }
  return toPlain(document.contents, lines, source);
}

function toPlain(contents: ParsedNode | null, lines: LineCounter, source: string): PlainDocument {
  const positions = new Map<string, Position>();
  const anchors = new Map<string, Node>();
  const open = new Set<unknown>();
  const faults: Fault[] = [];
  let values = 0;

  function fault(path: Path, node: unknown, message: string): void {
    faults.push({ path, problem: problemAt(path, message, placeOf(node) ?? positions.get(keyOf(path))) });
  }

  function placeOf(node: unknown): Position | undefined {
    const range = typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range : null;
    return range ? positionOf(lines, range[0]) : undefined;
  }

  function convert(node: unknown, path: Path, viaAlias: boolean): unknown {
    values += 1;
    if (values > MAX_VALUES) {
      throw new ConfigError(source, [
        { path: '', message: `holds more than ${MAX_VALUES} values, aliases counted in full` },
      ]);
    }
    if (path.length > MAX_DEPTH) {
      fault(path.slice(0, 8), node, `is nested more than ${MAX_DEPTH} levels deep`);
      return undefined;
    }
    if (isAlias(node)) return convertAlias(node.source, node, path);
    if (!viaAlias) remember(node);
    if (isScalar(node)) return convertScalar(node.value, node.source, node, path);
    if (open.has(node)) {
      fault(path, node, 'contains itself through an alias');
      return undefined;
    }
    open.add(node);
    const plain = isMap(node)
      ? convertMap(node.items, path, viaAlias)
      : isSeq(node)
        ? convertList(node.items, path, viaAlias)
        : null;
    open.delete(node);
    return plain;
  }

  function remember(node: unknown): void {
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) anchors.set(node.anchor, node);
  }

  function convertAlias(name: string, node: unknown, path: Path): unknown {
    const target = anchors.get(name);
    if (target === undefined) {
      fault(path, node, 'is an alias of something that is not anchored above it');
      return undefined;
    }
    return convert(target, path, true);
  }

  function convertScalar(value: unknown, written: string | undefined, node: unknown, path: Path): unknown {
    if (typeof value !== 'number') return value;
    // 1e9, 007, 0x1F and 1.0 look like what was meant and are something else.
    if (written === undefined || String(value) === written) return value;
    fault(
      path,
      node,
      'must be a plain number, without exponent, leading or trailing zeros, sign or prefix, or stand in quotes if it is text',
    );
    return undefined;
  }

  function convertMap(items: readonly { key: unknown; value: unknown }[], path: Path, viaAlias: boolean): unknown {
    const plain: Record<string, unknown> = {};
    for (const { key, value } of items) {
      if (!viaAlias) remember(key);
      const name = isScalar(key) ? String(key.value) : '';
      const at = [...path, name];
      if (name === '__proto__') fault(at, key, 'is not allowed as a name');
      else if (Object.hasOwn(plain, name)) fault(at, key, 'stands here twice: remove one');
      else {
        const position = placeOf(key);
        if (position !== undefined) positions.set(keyOf(at), position);
        plain[name] = value === null ? null : convert(value, at, viaAlias);
      }
    }
    return plain;
  }

  function convertList(items: readonly unknown[], path: Path, viaAlias: boolean): unknown {
    return items.map((item, index) => {
      const at = [...path, index];
      const position = placeOf(item);
      if (position !== undefined) positions.set(keyOf(at), position);
      return convert(item, at, viaAlias);
    });
  }

  const value = contents === null ? null : convert(contents, [], false);
  return {
    value,
    faults,
    locate: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const position = positions.get(keyOf(path.slice(0, length)));
        if (position !== undefined) return position;
      }
      return undefined;
    },
  };
}

function refuseControlCharacters(text: string, source: string): void {
  const found = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (found === null) return;
  const before = text.slice(0, found.index).split('\n');
  const position = { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  throw new ConfigError(source, [
    problemAt([], 'a control character is not allowed here: is this a text file in UTF-8?', position),
  ]);
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
