import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real OpenID provider with the device flow, in a process of its own. */
export interface OidcProvider {
  readonly url: string;
  readonly clientId: string;
  /** What somebody does in a browser. */
  approve(userCode: string, account: string): Promise<void>;
  deny(userCode: string): Promise<void>;
  /** From now on. `away`: it hangs up on everybody. `ill`: what stands before it answers for it. */
  set(settings: Readonly<{ id_token_ttl?: number; device_ttl?: number; away?: boolean; ill?: boolean }>): Promise<void>;
  counts(): Promise<Readonly<Record<'refreshed' | 'refused' | 'revoked' | 'begun', number>>>;
  close(): Promise<void>;
}

export async function openOidcProvider(): Promise<OidcProvider> {
  const child = spawn(process.execPath, [join(__dirname, 'oidc-provider.mjs')], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const [first] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`The OpenID provider did not start: ${said}`))),
  ])) as [string];
  const { issuer, control } = JSON.parse(first) as { readonly issuer: string; readonly control: string };
  const act = async (name: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const answer = await fetch(`${control}/${name}?${new URLSearchParams(query).toString()}`);
    if (!answer.ok) throw new Error(`The OpenID provider could not ${name}: ${await answer.text()}`);
    return answer.json();
  };
  return {
    url: issuer,
    clientId: 'leasehold-cli',
    approve: async (code, account) => {
      await act('approve', { code, account });
    },
    deny: async (code) => {
      await act('deny', { code });
    },
    set: async (settings) => {
      await act(
        'set',
        Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, JSON.stringify(value)])),
      );
    },
    counts: async () => (await act('counts')) as Awaited<ReturnType<OidcProvider['counts']>>,
    close: async () => {
      const ended = child.exitCode === null ? once(child, 'exit') : null;
      child.stdin.end();
      await ended;
    },
  };
}
