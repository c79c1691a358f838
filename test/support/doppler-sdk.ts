import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../dev/root';

/** Doppler's node SDK in one process of its own, which keeps its connections: it imports as it goes, which jest does not allow. */
export interface SdkProcess {
  /** Calls a method of one of its services. What the SDK throws is thrown here, with `statusCode` and `detail`. */
  call(service: string, method: string, ...args: unknown[]): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

const PROGRAM = `
  const { DopplerSDK } = require('@dopplerhq/node-sdk');
  const [accessToken, url] = process.argv.slice(1);
  const sdk = new DopplerSDK({ accessToken });
  sdk.setBaseUrl(url);
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
    const [service, method, ...args] = JSON.parse(line);
    const answer = await sdk[service][method](...args).then(
      (result) => ({ result }),
      ({ message, statusCode, detail }) => ({ error: { message, statusCode, detail } }),
    );
    process.stdout.write(JSON.stringify(answer) + '\\n');
  });
`;

export function startSdk(url: string, token: string): SdkProcess {
  const child = spawn(process.execPath, ['-e', PROGRAM, token, url], {
    cwd: projectRoot(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    call: async (...call) => {
      child.stdin.write(`${JSON.stringify(call)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error('The process of the SDK has died.');
      const { result, error } = JSON.parse(line.value) as {
        result?: Readonly<Record<string, unknown>>;
        error?: object;
      };
      if (error !== undefined) throw Object.assign(new Error('refused'), error);
      return result ?? {};
    },
    close: async () => {
      child.stdin.end();
      child.kill();
      await ended;
    },
  };
}
