import { printable } from './printable';

/** A line for people, beside what is printed: on standard error. */
export function tell(sentence: string): void {
  process.stderr.write(`${printable(sentence)}\n`);
}
