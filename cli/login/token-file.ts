import { readFile, stat } from 'node:fs/promises';
import { LeaseError } from '../../client/http';
import { errorCode } from '../error-code';

/**
 * The token in a file that somebody else renews: it is read for each request.
 * @param name what named the file, for people.
 */
export function tokenOfFile(file: string, name: string): () => Promise<string> {
  let once: string | null = null;
  return async () => {
    if (once !== null) return once;
    const { text, isFile } = await read(file, name);
    const token = text.trim();
    if (!/^[\x21-\x7e]{1,16000}$/.test(token)) {
      throw new LeaseError('Unauthenticated', `${name}: ${file} holds no token of the HTTP API.`);
    }
    // What comes out of a pipe comes once.
    if (!isFile) once = token;
    return token;
  };
}

async function read(file: string, name: string): Promise<{ readonly text: string; readonly isFile: boolean }> {
  try {
    const found = await stat(file);
    return { text: await readFile(file, 'utf8'), isFile: found.isFile() };
  } catch (error) {
    const code = errorCode(error);
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${typeof code === 'string' ? code : 'unknown'})`;
    throw new LeaseError('Unauthenticated', `${name}: ${file} ${why}. It must be a file with a token of the HTTP API.`);
  }
}
