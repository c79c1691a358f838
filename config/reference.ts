import { z } from 'zod';
import { readVariable } from './environment';
import { FileError, readTextFile } from './file';

const ENV = /^env:([A-Za-z_][A-Za-z0-9_]{0,254})$/;
const FILE = /^file:(\/[^\p{Cc}\p{Zl}\p{Zp}]{1,4095})$/u;
const MAX_FILE_BYTES = 64 * 1024;

/** A place where a secret is found at the moment of use: `env:NAME` or `file:/absolute/path`. Never the secret itself. */
export const referenceSchema = z
  .string()
  .refine(
    (text) => ENV.test(text) || FILE.test(text),
    'must be a reference, env:NAME or file:/absolute/path, never the value itself',
  );

/** Whether a text that may also be plain is meant as a reference. */
export function isReference(text: string): boolean {
  return /^(?:env|file):/.test(text);
}

/** A reference whose secret is not there. Names the reference, never a value. */
export class UnresolvedReference extends Error {
  override readonly name = 'UnresolvedReference';
}

/**
 * Reads the secret from where the reference points, now and without remembering it. Line breaks at the end of a file are
 * dropped, because editors and `echo` add them.
 * @throws UnresolvedReference if it is not set, not readable, empty, or no text of at most 64 KiB.
 */
export function resolveReference(reference: string): string {
  const variable = ENV.exec(reference)?.[1];
  if (variable !== undefined) return resolveVariable(reference, variable);
  const path = FILE.exec(reference)?.[1];
  if (path !== undefined) return resolveFile(reference, path);
  throw new UnresolvedReference(
    'A text that is no reference cannot be resolved; it is not repeated here. Write env:NAME or file:/absolute/path.',
  );
}

function resolveVariable(reference: string, name: string): string {
  const value = readVariable(name);
  if (value === undefined) {
    throw unresolved(reference, `the variable ${name} is not set. Set it in this process's environment`);
  }
  if (value === '') throw unresolved(reference, `the variable ${name} is empty. Set it to the secret`);
  return value;
}

function resolveFile(reference: string, path: string): string {
  let text: string;
  try {
    text = readTextFile(path, MAX_FILE_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw unresolved(reference, `the file ${error.message}`);
  }
  const value = dropLineBreaks(text);
  if (value === '') throw unresolved(reference, 'the file is empty. Write the secret into it');
  if (value.includes('\0')) throw unresolved(reference, 'the file holds a NUL character and is no text');
  return value;
}

function dropLineBreaks(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end -= 1;
  return text.slice(0, end);
}

function unresolved(reference: string, reason: string): UnresolvedReference {
  return new UnresolvedReference(`The reference ${reference} cannot be resolved: ${reason}, or change the reference.`);
}
