import { checkAccess } from './access-check';
import { buildConfig } from './config';
import type { Config } from './config';
import { readDocument } from './document';
import type { Fault } from './document';
import { FileError, readTextFile } from './file';
import { hashConfig } from './hash';
import { checkParts } from './parts';
import type { Types } from './parts';
import { ConfigError, problemAt } from './problems';
import type { Path, Problem } from './problems';
import { fileSchema, isForNewer } from './schema';
import { checkWith } from './sentences';

export type { AccessSettings, TokenSettings } from './access';
export type { ApiSettings } from './api';
export type {
  AlertSettings,
  Config,
  DynamicSecret,
  IntegrationSettings,
  StaticSecret,
  SweepSettings,
  WebhookSettings,
} from './config';
export { findDynamicSecret, own } from './lookup';
export { isKeysUrl } from './oidc';
export type { ClaimSettings, ClaimValue, DeviceLoginSettings, IssuerSettings, RuleSettings } from './oidc';
export { ConfigError } from './problems';
export type { Problem } from './problems';
export type { Right, Scope } from './rights';

const MAX_BYTES = 1024 * 1024;
const WAY_OUT = 'Name the file with --config or LEASEHOLD_CONFIG; leasehold.example.yaml is one to begin with.';

/**
 * Reads and checks the configuration file. References in it are not resolved.
 * @param types the registry of integration types.
 * @throws ConfigError with all problems at once.
 */
export function loadConfig(path: string, types: Types): Promise<Config> {
  return new Promise((resolve) => {
    resolve(parseConfig(readConfigText(path), types, path));
  });
}

/**
 * Checks the text of a configuration.
 * @param source names the text in errors.
 * @throws ConfigError with all problems at once.
 */
export function parseConfig(text: string, types: Types, source: string): Config {
  const document = readDocument(text.replace(/^\ufeff/, ''), source);
  if (document.value === null && document.faults.length === 0) {
    throw new ConfigError(source, [{ path: '', message: `is empty. It must begin with "version: 1". ${WAY_OUT}` }]);
  }
  const file = checkWith(fileSchema, document.value, []);
  const parts = checkParts(document.value, types);
  const findings = [...('findings' in file ? file.findings : []), ...parts.findings, ...checkAccess(document.value)]
    .filter(({ path }) => !isInFault(path, document.faults))
    .map(({ path, message }) => problemAt(path, message, document.locate(path)));
  const all = [...document.faults.map(({ problem }) => problem), ...findings];
  const problems = isForNewer(document.value) ? all.filter(({ path }) => path === 'version') : all;
  if (problems.length > 0 || !('value' in file)) throw new ConfigError(source, inFileOrder(problems));
  return buildConfig(file.value, parts, hashConfig(document.value));
}

/** @throws ConfigError that names the file and why it cannot be read. */
export function readConfigText(path: string): string {
  try {
    return readTextFile(path, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError(path, [{ path: '', message: `The configuration file ${error.message}. ${WAY_OUT}` }]);
  }
}

/** What cannot be read at all is told once, and not again as missing. */
function isInFault(path: Path, faults: readonly Fault[]): boolean {
  return faults.some((fault) => fault.path.every((part, index) => path[index] === part));
}

function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
