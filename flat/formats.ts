import { stringify } from 'yaml';
import type { FormatName } from './format-names';

/** A way to write secrets down. */
interface Format {
  readonly type: string;
  readonly write: (secrets: ReadonlyMap<string, string>) => string;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** `dotnet-json` differs from `json` by its names alone. */
export const FORMATS = {
  json: { type: JSON_TYPE, write: writeJson },
  'dotnet-json': { type: JSON_TYPE, write: writeJson },
  yaml: { type: 'application/yaml; charset=utf-8', write: writeYaml },
  env: { type: TEXT_TYPE, write: (secrets) => writeLines(secrets, quoteForShell) },
  // What reads these takes each line as it stands: a line break in a value would forge another entry.
  docker: { type: TEXT_TYPE, write: (secrets) => writeLines(secrets, onOneLine) },
  'env-no-quotes': { type: TEXT_TYPE, write: (secrets) => writeLines(secrets, onOneLine) },
} as const satisfies Record<FormatName, Format>;

function writeJson(secrets: ReadonlyMap<string, string>): string {
  return JSON.stringify(Object.fromEntries(secrets));
}

function writeYaml(secrets: ReadonlyMap<string, string>): string {
  if (secrets.size === 0) return '{}\n';
  return stringify(secrets, { defaultKeyType: 'PLAIN', defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 });
}

function writeLines(secrets: ReadonlyMap<string, string>, write: (value: string) => string): string {
  return [...secrets].map(([name, value]) => `${name}=${write(value)}\n`).join('');
}

function onOneLine(value: string): string {
  return value.replace(/\r?\n/g, '\\n').replace(/\r/g, '\\r');
}

/**
 * Exact for a shell. Readers of .env files differ in what a backslash means between double quotes, so that one is written there
 * only where it must be: in a value with a single quote and something else that is special.
 */
function quoteForShell(value: string): string {
  if (!/["\\$`]/.test(value)) return `"${value}"`;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}
