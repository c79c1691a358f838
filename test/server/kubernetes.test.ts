import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { parseAllDocuments } from 'yaml';
import { installKubernetesValidate } from '../../dev/tools';
import { checkSearchAttributes } from '../../temporal/search-attributes';
import { buildManifests } from '../support/kubernetes';
import type { Manifest } from '../support/kubernetes';
import { provided } from '../support/stack';

const run = promisify(execFile);
const DIRECTORY = join(__dirname, '../../deploy/kubernetes');
const FOLDERS = [DIRECTORY, join(DIRECTORY, 'versioned')];
/** What clusters that are looked after have today, and the newest that is known here. */
const VERSIONS = ['1.33', '1.37'];

let program: string;
let directory: string;

beforeAll(async () => {
  program = await installKubernetesValidate((line) => void process.stderr.write(`${line}\n`));
  directory = join(provided().directory, `kubernetes-${randomUUID()}`);
  await mkdir(directory);
}, 300_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the schema of a release has against manifests, as it says it; nothing: they are right. */
async function objections(manifests: readonly unknown[], version: string): Promise<string> {
  const file = join(directory, `${randomUUID()}.yaml`);
  await writeFile(file, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
  try {
    await run(program, ['--strict', '--kubernetes-version', version, '--quiet', file]);
    return '';
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    return stdout + stderr;
  }
}

test.each(VERSIONS)(
  'every manifest is one of Kubernetes %s, to the letter',
  async (version) => {
    const manifests = FOLDERS.flatMap((folder) => buildManifests(folder));
    expect(manifests.length).toBeGreaterThan(20);
    expect(await objections(manifests, version)).toBe('');
  },
  60_000,
);

test('a manifest with a field that there is not, or a wrong kind of value, would be seen', async () => {
  const [api] = buildManifests(DIRECTORY).filter(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'api',
  );
  const changed = (replace: readonly [string, string]): unknown => JSON.parse(JSON.stringify(api).replace(...replace));
  expect(await objections([changed(['"readinessProbe"', '"readyProbe"'])], '1.33')).toContain('readyProbe');
  expect(await objections([changed(['"replicas":2', '"replicas":"two"'])], '1.33')).toContain('two');
}, 60_000);

test('the commands of the page make a namespace of Temporal in which leases can run', async () => {
  const { tools, temporal } = provided();
  const page = await readFile(join(__dirname, '../../docs/kubernetes.md'), 'utf8');
  const [, commands] = /^```sh\n(temporal operator namespace create .*?)^```/ms.exec(page)!;
  const namespace = `kubernetes-${randomUUID()}`;
  const script = commands!
    .replaceAll('--namespace leasehold', `--namespace ${namespace}`)
    .replaceAll(/^temporal /gm, '"$TEMPORAL" ');
  await run('sh', ['-euc', script], { env: { TEMPORAL: tools.temporal, TEMPORAL_ADDRESS: temporal.address } });
  const connection = await Connection.connect({ address: temporal.address });
  try {
    await expect(checkSearchAttributes(connection, namespace)).resolves.toBeUndefined();
  } finally {
    await connection.close();
  }
}, 60_000);

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0 ? test : test.skip;

kubectl(
  'kubectl, where it is at hand, builds of the kustomizations what was checked',
  async () => {
    const byName = (built: readonly Manifest[]): unknown =>
      Object.fromEntries(built.map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, manifest]));
    for (const folder of FOLDERS) {
      const { stdout } = await run('kubectl', ['kustomize', folder]);
      const built = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
      // A generated name ends in a hash, wherever it stands.
      const plain = JSON.stringify(built).replaceAll(/"temporal-[a-z0-9]{10}"/g, '"temporal"');
      expect(byName(JSON.parse(plain) as readonly Manifest[])).toEqual(byName(buildManifests(folder)));
    }
  },
  60_000,
);
