import { randomUUID } from 'node:crypto';
import type { Answer } from './fault-proxy';

const XML = { 'content-type': 'text/xml' };
const NAMESPACE = 'https://iam.amazonaws.com/doc/2010-05-08/';

export function errorAnswer(status: number, code: string, message: string): Answer {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  return {
    status,
    headers: XML,
    body:
      `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>${type}</Type><Code>${code}</Code>` +
      `<Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  };
}

export function s3ErrorAnswer(status: number, code: string): Answer {
  return {
    status,
    headers: XML,
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  };
}

/** A successful answer of an IAM operation. */
export function resultAnswer(operation: string, result: string): Answer {
  return {
    status: 200,
    headers: XML,
    body:
      `<${operation}Response xmlns="${NAMESPACE}"><${operation}Result>${result}</${operation}Result>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${operation}Response>`,
  };
}

/** Text of the first element of that name. */
export function readElement(body: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1];
}

/** Puts another text into the first element of that name. */
export function replaceElement(body: string, name: string, text: string): string {
  return body.replace(new RegExp(`(<${name}>)[^<]*`), (_, start: string) => start + text);
}

/**
 * Cuts one page out of a list, as IAM does with MaxItems and Marker.
 * @param skipped items before the page that the emulator has left out already.
 */
export function cutPage(answer: string, list: string, page: { start: number; size: number; skipped: number }): string {
  const found = new RegExp(`<${list}>([\\s\\S]*)</${list}>`).exec(answer);
  if (found === null) return answer;
  const members = found[1]!.match(/<member>[\s\S]*?<\/member>/g) ?? [];
  const start = page.start - page.skipped;
  const end = start + page.size;
  const more = end < members.length;
  const marker = more ? `<Marker>${page.start + page.size}</Marker>` : '';
  const cut = `<IsTruncated>${more}</IsTruncated>${marker}<${list}>${members.slice(start, end).join('')}</${list}>`;
  return answer.replace(/<IsTruncated>[^<]*<\/IsTruncated>/, '').replace(found[0], cut);
}

/**
 * Cuts one page out of a list in the order of a name, beginning behind the name that the marker holds: unlike a count,
 * it misses none when what was on an earlier page is deleted meanwhile.
 */
export function cutPageByName(
  answer: string,
  page: { readonly list: string; readonly name: string; readonly after: string; readonly size: number },
): string {
  const found = new RegExp(`<${page.list}>([\\s\\S]*)</${page.list}>`).exec(answer);
  if (found === null) return answer;
  const members = found[1]!.match(/<member>[\s\S]*?<\/member>/g) ?? [];
  const named = members.map((member) => ({ member, name: readElement(member, page.name) ?? '' }));
  const rest = named.filter(({ name }) => name > page.after).sort((a, b) => (a.name < b.name ? -1 : 1));
  const cut = rest.slice(0, page.size);
  const more = rest.length > cut.length;
  const marker = more ? `<Marker>${cut.at(-1)!.name}</Marker>` : '';
  const text = cut.map(({ member }) => member).join('');
  return answer
    .replace(/<IsTruncated>[^<]*<\/IsTruncated>/, '')
    .replace(found[0], `<IsTruncated>${more}</IsTruncated>${marker}<${page.list}>${text}</${page.list}>`);
}

/** Puts other numbers into the answer of GetAccountSummary. */
export function replaceSummary(answer: string, numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers).reduce(
    (text, [key, value]) =>
      text.replace(new RegExp(`(<key>${key}</key>\\s*<value>)[^<]*`), (_, start: string) => `${start}${value}`),
    answer,
  );
}
