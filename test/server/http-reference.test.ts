import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../dev/root';
import { ask } from '../support/api-client';
import { openApiLab } from '../support/api-lab';
import type { ApiLab } from '../support/api-lab';
import { eventually } from '../support/lab';

let lab: ApiLab;
/** What the page has the shell know before any of its commands. */
let preparation: string;
/** Commands of the page by the routes that they are about, in its order. */
let examples: ReadonlyMap<string, string>;

beforeAll(async () => {
  lab = await openApiLab({
    secrets: { LOG_LEVEL: 'info' },
    dynamicSecrets: { S3_UPLOADS: { integration: 'memory', max_ttl: '1d' } },
  });
  const page = await readFile(join(projectRoot(), 'docs/http-reference.md'), 'utf8');
  const commandIn = (text: string): string | undefined => /```sh\n(.*?)```/s.exec(text)?.[1];
  const [head, ...sections] = page.split(/^### /m);
  preparation = commandIn(head!)!;
  examples = new Map(
    sections.flatMap((section) => {
      const [route = ''] = section.split('\n');
      const command = commandIn(section);
      return command === undefined ? [] : [[route, command]];
    }),
  );
}, 60_000);

afterAll(() => lab.close());

/** Runs a command in a shell that has what the page says. */
function shell(command: string, variables: Readonly<Record<string, string>>, timeout = 20_000): Promise<string> {
  return new Promise((resolve) => {
    const env = {
      PATH: process.env['PATH'],
      LEASEHOLD_HOST: lab.url,
      LEASEHOLD_TOKEN: lab.tokens['admin'],
      INTEGRATION_NAME: 'memory',
      ...variables,
    };
    execFile('sh', ['-c', `${preparation}${command}`], { env, timeout }, (_, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

async function firstBlock(): Promise<string> {
  let found: string | undefined;
  await eventually(async () => {
    const { body } = await ask(lab, 'admin', 'GET', '/v1/blocks');
    found = body.blocks[0]?.id;
    return found !== undefined;
  }, 'the block to be placed');
  return found!;
}

test('every example of the reference is answered as the page says', async () => {
  expect(examples.size).toBeGreaterThan(25);
  const ids = { REVOCATION_ID: '', BLOCK_ID: '' };
  const refused: string[] = [];
  for (const [route, command] of examples) {
    // A revocation places its block a moment after it was begun.
    if (route === 'DELETE /v1/blocks/{id}') ids.BLOCK_ID = await firstBlock();
    // An example may end it.
    const usesLease = command.includes('$LEASE_ID');
    const lease = usesLease
      ? await lab.leases.issue({ project: 'backend', config: 'prd', dynamicSecret: 'S3_UPLOADS', holder: 'reader' })
      : null;
    const isStream = route.endsWith('/watch');
    const told = await shell(
      command,
      { ...ids, ...(lease === null ? {} : { LEASE_ID: lease.leaseId }) },
      isStream ? 1_500 : 20_000,
    );
    if (isStream) expect(told).toContain('ping');
    else if (route === 'GET /metrics') expect(told).toContain('# TYPE');
    else {
      const body = JSON.parse(told) as { readonly success?: boolean; readonly id?: string };
      if (body.success === false) refused.push(`${route}: ${told}`);
      if (route === 'POST /v1/revocations') ids.REVOCATION_ID = body.id!;
    }
  }
  // Nobody has a token of an issuer at hand.
  expect(refused).toEqual([expect.stringMatching(/^POST \/v3\/auth\/oidc: .*"code":"not_found"/)]);
  for await (const { leaseId } of lab.leases.list({ live: true })) await lab.leases.revoke(leaseId);
  await eventually(async () => lab.provider.entities.size === 0, 'the provider to hold nothing');
}, 60_000);
