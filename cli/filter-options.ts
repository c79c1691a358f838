import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { accessOptions } from './access-options';
import type { AccessFlags } from './access-options';

/** Which leases are meant: all that is given must be so. */
export interface FilterFlags extends AccessFlags {
  readonly holder?: string;
  readonly project?: string;
  readonly config?: string;
  readonly dynamicSecret?: string;
  readonly integration?: string;
  readonly entity?: string;
}

/** Adds the options of {@link FilterFlags}. */
export function filterOptions(command: Command): Command {
  const filtered = command
    .option('--holder <holder>', 'only of this holder, e.g. token:ci', readText)
    .option('--project <project>', 'only of this project', readText)
    .option('--config <config>', 'only of configs of this name', readText)
    .option('--dynamic-secret <name>', 'only of dynamic secrets of this name', readText)
    .option('--integration <name>', 'only of this integration', readText)
    .option('--entity <name>', 'only of what has this name at the provider, e.g. an AWS user', readText);
  return accessOptions(filtered);
}

/** Text that can stand in a filter, a reason or a name. */
export function readText(text: string): string {
  if (text.trim() !== '' && text.length <= 255 && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text))
    return text;
  throw new InvalidArgumentError('Give 1 to 255 printable characters.');
}

/** A whole number from 1 on. */
export function readCount(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1 on.');
}

/** An id of a lease. */
export function readLeaseId(text: string): string {
  if (/^[a-z2-7]{24}$/.test(text)) return text;
  throw new InvalidArgumentError('A lease id has 24 characters of a-z and 2-7: leasehold leases list shows them.');
}

/** Several {@link readLeaseId}, each once. */
export function readLeaseIds(text: string, before: readonly string[] = []): readonly string[] {
  return [...new Set([...before, readLeaseId(text)])];
}
