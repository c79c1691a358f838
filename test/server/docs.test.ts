import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectHttpLeases } from '../../client/http';
import { projectRoot } from '../../dev/root';
import { blocksOf, docPages } from '../support/doc-blocks';
import type { DocBlock } from '../support/doc-blocks';
import { playBlocks, SOME_LEASE } from '../support/docs-shell';
import type { DocsPlace, Played } from '../support/docs-shell';
import { startDocsStack } from '../support/docs-stack';
import type { DocsStack } from '../support/docs-stack';
import { eventually } from '../support/lab';

/** Which lease what `npm start` has to lease; all others are about a config backend/prd. */
const DEMO_PAGES = ['README.md', 'docs/quickstart.md'];
/** Of which the lease that they look at is stuck, as its provider is away. */
const TROUBLE_PAGES = ['docs/operations.md', 'docs/runbook.md'];
/** Its examples are those of the help, which test/unit/docs/cli.test.ts reads. */
const GENERATED = 'docs/cli.md';

const pages = docPages()
  .filter((page) => page !== GENERATED)
  .map((page) => [page, blocksOf(page, 'sh').filter(({ remarks }) => remarks['not run'] === undefined)] as const)
  .filter(([, blocks]) => blocks.length > 0);

let stack: DocsStack;
let played = 0;

/** How each page went. Those on trouble are played beside the others, by somebody else. */
const playing = new Map<string, Promise<Played>>();

beforeAll(async () => {
  stack = await startDocsStack();
  const isTrouble = (page: string): boolean => TROUBLE_PAGES.includes(page);
  for (const lane of [pages.filter(([page]) => !isTrouble(page)), pages.filter(([page]) => isTrouble(page))]) {
    let before: Promise<unknown> = Promise.resolve();
    for (const [page, blocks] of lane) {
      const now = before.then(() => playPage(page, blocks));
      playing.set(page, now);
      before = now.catch(() => undefined);
    }
  }
}, 120_000);

afterAll(async () => {
  await Promise.allSettled(playing.values());
  expect(await stack.stop()).toBe(0);
}, 120_000);

test('what runs here is what npm start runs', async () => {
  const { scripts } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  expect(scripts.start).toMatch(/ node dist\/cli\/main\.js start$/);
});

/** Plays the blocks in a folder of their own. */
async function play(
  blocks: readonly DocBlock[],
  place: Pick<DocsPlace, 'environment' | 'lease' | 'onBlock'>,
): Promise<Played> {
  const directory = join(stack.home, `page-${(played += 1)}`);
  await mkdir(directory);
  const { configFile, awsEndpoint } = stack;
  return playBlocks(blocks, { directory, configFile, awsEndpoint, ...place });
}

/** Plays them with a lease that is stuck, up to the first block that is not about that lease any more. */
async function playInTrouble(blocks: readonly DocBlock[]): Promise<Played> {
  const looks = blocks.map(({ code }) => code.includes(SOME_LEASE));
  const end = blocks[looks.indexOf(false, looks.indexOf(true))]?.line ?? Infinity;
  const lease = await stack.beginTrouble();
  const onBlock = (line: number): void => {
    if (line >= end) stack.endTrouble();
  };
  try {
    return await play(blocks, { environment: stack.operator, lease, onBlock });
  } finally {
    stack.endTrouble();
  }
}

function playPage(page: string, blocks: readonly DocBlock[]): Promise<Played> {
  if (TROUBLE_PAGES.includes(page)) return playInTrouble(blocks);
  return play(blocks, { environment: DEMO_PAGES.includes(page) ? stack.demo : stack.backend });
}

test.each(pages)(
  'what %s says to type does what it says',
  async (page) => {
    const { code, line, output } = await playing.get(page)!;
    if (code !== 0) throw new Error(`${page}:${line} ends with exit code ${String(code)}:\n${output}`);
  },
  180_000,
);

test('what they have leased ends', async () => {
  const leases = connectHttpLeases({ url: stack.backend['LEASEHOLD_HOST']!, token: stack.backend['LEASEHOLD_TOKEN']! });
  const live = async (): Promise<readonly string[]> => {
    const ids: string[] = [];
    for await (const { leaseId } of leases.list({ live: true })) ids.push(leaseId);
    return ids;
  };
  for (const leaseId of await live()) {
    expect(await leases.revoke(leaseId, { wait: true })).toMatchObject({ state: 'revoked' });
  }
  await eventually(async () => (await live()).length === 0, 'the index to know it');
  await leases.close();
}, 60_000);

test('a command that is wrong, and one that should fail and does not, would be seen with its line', async () => {
  const block = (line: number, code: string, remarks: DocBlock['remarks'] = {}): DocBlock => {
    return { page: 'page', language: 'sh', line, code, remarks };
  };
  const demo = { environment: stack.demo };
  const right = block(3, 'lease=abc\n');
  const wrong = await play([right, block(7, 'leasehold leases lst | cat\necho "went on"\n'), block(9, 'true\n')], demo);
  expect(wrong).toMatchObject({ code: 2, line: 7 });
  expect(wrong.output).not.toContain('went on');
  const refused = block(5, 'echo "shown: $lease"\nfalse\necho "went on"\n', { before: 'lease="$lease d"', exits: '1' });
  const ended = await play([right, refused], demo);
  expect(ended).toEqual({ code: 0, line: 5, output: 'shown: abc d\n' });
  expect(await play([block(5, 'true\n', { exits: '4' })], demo)).toMatchObject({ code: 99, line: 5 });
}, 30_000);
