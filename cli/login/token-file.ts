import { readFile, stat } from 'node:fs/promises';
import { LeaseError } from '../../client/http';
import { errorCode } from '../error-code';

/**
 * The token in a file that somebody else renews: it is read for each request.
 * @param name what named the file, for people.
 */
export function tokenOfFile(file: string, name: string): () => Promise<string> {
  let piped: Promise<string> | null = null;
  return async () => {
    // What comes out of a pipe comes once, for all requests.
    const text = await (piped ?? read(file, name, (reading) => (piped ??= reading())));
    const token = text.trim();
    if (/^[\x21-\x7e]{1,16000}$/.test(token)) return token;
    throw new LeaseError('Unauthenticated', `${name}: ${file} holds no token of the HTTP API.`);
  };
}

/** @param once how what is no file is read. */
async function read(
  file: string,
  name: string,
  once: (reading: () => Promise<string>) => Promise<string>,
): Promise<string> {
  try {
    const found = await stat(file);
    const reading = (): Promise<string> => readFile(file, 'utf8');
    return await (found.isFile() ? reading() : once(reading));
  } catch (error) {
    const code = errorCode(error);
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${typeof code === 'string' ? code : 'unknown'})`;
    throw new LeaseError('Unauthenticated', `${name}: ${file} ${why}. It must be a file with a token of the HTTP API.`);
  }
}
