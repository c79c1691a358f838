import { readText } from '../../client/read-whole';

/**
 * Asks as `fetch` does. What the API says of a token that it does not take is for whoever writes a request; whoever runs a command is
 * told which token it was, and what to do.
 * @param sentence says so.
 */
export function tellingWhose(sentence: string): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.status !== 401) return response;
    const text = await readText(response);
    const said = parse(text);
    // What stands between may refuse us too, and for its own reasons.
    const isOfApi = typeof said === 'object' && said !== null && 'code' in said && said.code === 'unauthenticated';
    const { status, headers } = response;
    return new Response(isOfApi ? JSON.stringify({ ...said, messages: [sentence] }) : text, { status, headers });
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
