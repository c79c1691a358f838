/** Above all that an API answers, and far below what a process can hold. */
export const LARGEST_ANSWER_BYTES = 8 * 1024 * 1024;

/** An answer that is larger than any that is meant, and may never end. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';

  constructor() {
    super('The answer is too large.');
  }
}

/** The body of an answer, unpacked. What is larger is not waited for. @throws TooLargeError */
export async function readWhole({ body }: Response, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > mostBytes) throw new TooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same as text. @throws TooLargeError */
export async function readText(response: Response): Promise<string> {
  return new TextDecoder().decode(await readWhole(response, LARGEST_ANSWER_BYTES));
}
