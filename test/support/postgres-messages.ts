/** A message of PostgreSQL's protocol, version 3, with its head. */
export interface Message {
  /** One letter; null for a start-up message, which has none. */
  readonly type: string | null;
  readonly bytes: Buffer;
}

/** Cuts a stream into messages. What is not complete yet waits for the next chunk. */
export interface MessageReader {
  push(chunk: Buffer): readonly Message[];
}

/** Codes that a start-up message begins with. */
export const START_UP = { cancel: 80_877_102, ssl: 80_877_103, gssapi: 80_877_104 } as const;

/** @param starts whether the stream begins with start-up messages, as a client's does. */
export function createMessageReader(starts: boolean): MessageReader {
  let rest: Buffer = Buffer.alloc(0);
  let starting = starts;
  return {
    push: (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const messages: Message[] = [];
      for (;;) {
        const head = starting ? 0 : 1;
        if (rest.length < head + 4) return messages;
        const length = head + rest.readUInt32BE(head);
        if (rest.length < length) return messages;
        const bytes = rest.subarray(0, length);
        rest = rest.subarray(length);
        messages.push({ type: starting ? null : String.fromCharCode(bytes[0]!), bytes });
        // After a refused encryption the client starts once more.
        if (starting && !isEncryptionRequest(bytes)) starting = false;
      }
    },
  };
}

export function startUpCode(bytes: Buffer): number {
  return bytes.readUInt32BE(4);
}

export function isEncryptionRequest(bytes: Buffer): boolean {
  return [START_UP.ssl, START_UP.gssapi].some((code) => code === startUpCode(bytes));
}

export function queryMessage(text: string): Buffer {
  return message('Q', Buffer.from(`${text}\0`));
}

/** The text of a `Q` message. */
export function queryText(bytes: Buffer): string {
  return bytes.subarray(5, -1).toString();
}

export function errorMessage(sqlState: string, text: string, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${sqlState}`, `M${text}`];
  return message('E', Buffer.from(`${fields.join('\0')}\0\0`));
}

/** In or out of a transaction: `I`, `T`, or `E` for one that has failed. */
export type TransactionStatus = 'I' | 'T' | 'E';

export function readyMessage(status: TransactionStatus): Buffer {
  return message('Z', Buffer.from(status));
}

/** The status in a `Z` message. */
export function statusOf(bytes: Buffer): TransactionStatus {
  return String.fromCharCode(bytes[5]!) as TransactionStatus;
}

/** The SQLSTATE of an `E` message. */
export function sqlStateOf(bytes: Buffer): string | null {
  return errorFields(bytes).get('C') ?? null;
}

/** The same `E` message with a text repeated in its message, detail and hint, as servers repeat what they were sent. */
export function echoError(bytes: Buffer, text: string): Buffer {
  const fields = errorFields(bytes);
  for (const name of ['M', 'D', 'H']) fields.set(name, `${fields.get(name) ?? ''} ${text}`.trimStart());
  const body = [...fields].map(([name, value]) => `${name}${value}\0`).join('');
  return message('E', Buffer.from(`${body}\0`));
}

/** A message that no server sends. */
export function unreadableMessage(text: string): Buffer {
  return message('!', Buffer.from(text));
}

function errorFields(bytes: Buffer): Map<string, string> {
  const fields = bytes.subarray(5).toString().split('\0');
  return new Map(fields.filter((field) => field !== '').map((field) => [field.slice(0, 1), field.slice(1)]));
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
