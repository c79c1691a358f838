import type { ErrorCode } from 'yaml';

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'this alias is not written correctly',
  BAD_DIRECTIVE: 'this directive is not known',
  BAD_DQ_ESCAPE:
    'this backslash sequence is not known inside double quotes: write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines above: entries of one mapping begin in the same column',
  BAD_SCALAR_START: 'a value cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on one line: begin a new line, or put the value in quotes',
  BLOCK_IN_FLOW: 'inside { } and [ ] only the same notation can be used',
  KEY_OVER_1024_CHARS: 'this key is too long: at most 1024 characters are allowed',
  MISSING_CHAR: 'a closing quote, bracket, comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line: is there a colon missing?',
  MULTIPLE_DOCS: 'the file must hold one document: remove everything from this "---" on',
  NON_STRING_KEY: 'keys must be plain names',
  RESOURCE_EXHAUSTION: 'values are nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent: use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not allowed: write the value without it',
};

/** What is wrong at a place of a YAML text. Not in the parser's words, which repeat the text. */
export function describeSyntax(code: ErrorCode): string {
  return SENTENCES[code] ?? 'this is no YAML that can be understood: look at quotes, colons and indentation around it';
}
