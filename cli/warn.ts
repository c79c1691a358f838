/** Tells something on standard error beside what a command does. A program that it runs may write there too. */
export function warn(sentence: string): void {
  process.stderr.write(`leasehold: ${sentence}\n`);
}
