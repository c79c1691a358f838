import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { SubstituteFlags } from '../commands/secrets';
import { systemCode } from '../deliver';
import { UsageError } from '../exit';
import { select } from '../selection';
import type { Contents } from '../selection';
import { quote } from '../../workflows/quote';
import { readSeconds } from '../ttl';
import { withContents } from './contents';
import { handOut } from './hand-out';
import { fill, parseTemplate, slotsOf, TemplateError } from './template';
import type { Position, Slot, Template } from './template';

/** See `secretsCommand`. */
export async function substitute(file: string, flags: SubstituteFlags): Promise<number> {
  const ttl = flags.dynamicTtl === undefined ? undefined : readSeconds(flags.dynamicTtl, '--ttl');
  const template = parse(file, await read(file));
  return withContents(flags, (opened) => {
    const slots = slotsOf(template);
    checkSlots(file, slots, opened);
    const selection = select(
      opened,
      slots.map(({ name }) => name),
    );
    return handOut(opened, { selection, ttl, target: flags, render: (valueOf) => fill(template, valueOf) });
  });
}

/** @throws UsageError */
async function read(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new UsageError(`The template ${JSON.stringify(file)} cannot be read (${systemCode(error)}).`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`The template ${JSON.stringify(file)} is no text in UTF-8.`);
  }
}

/** @throws UsageError with line and column. */
function parse(file: string, source: string): Template {
  try {
    return parseTemplate(source);
  } catch (error) {
    throw error instanceof TemplateError ? at(file, error.position, error.message) : error;
  }
}

/** @throws UsageError of the first name that is not there, or that has no value. */
function checkSlots(file: string, slots: readonly Slot[], { statics, offered }: Contents): void {
  for (const { name, position } of slots) {
    const dynamic = offered.find(({ dynamicSecret }) => dynamicSecret === name);
    if (dynamic !== undefined) {
      throw at(file, position, `${name} is a dynamic secret, write one of ${dynamic.flatNames.join(', ')}.`);
    }
    const isThere = Object.hasOwn(statics.values, name) || offered.some(({ flatNames }) => flatNames.includes(name));
    if (isThere) continue;
    throw at(file, position, `${statics.project}/${statics.config} has no secret ${quote(name)}.`);
  }
}

function at(file: string, { line, column }: Position, problem: string): UsageError {
  const name = file === '-' ? 'The template' : JSON.stringify(file);
  return new UsageError(`${name}, line ${line}, column ${column}: ${problem}`);
}
