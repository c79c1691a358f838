/** A stream of server-sent events as its reader sees it: what was read at once. */
export interface EventStream {
  readonly status: number;
  readonly reads: readonly string[];
  /** Types of the events so far. */
  types(): string[];
  /** Ends when the server has ended the stream. */
  readonly ended: Promise<void>;
  stop(): void;
}

export async function openEventStream(url: string, token: string): Promise<EventStream> {
  const abort = new AbortController();
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: abort.signal });
  const reads: string[] = [];
  const read = async (): Promise<void> => {
    for await (const chunk of answer.body!) reads.push(Buffer.from(chunk as Uint8Array).toString());
  };
  const ended = read();
  ended.catch(() => undefined);
  return {
    status: answer.status,
    reads,
    types: () => reads.map((text) => /^event: message\ndata: \{"type":"([a-z.]+)"\}\n\n$/.exec(text)?.[1] ?? text),
    ended,
    stop: () => {
      abort.abort();
    },
  };
}
