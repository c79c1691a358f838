import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { connectLeases } from '../../client/temporal';
import { deploymentId } from '../../temporal/deployment';
import { checkSearchAttributes, MissingSearchAttributes } from '../../temporal/search-attributes';
import type { TemporalService } from '../../temporal/service';
import { createNamespace } from '../support/namespace';
import { provided } from '../support/stack';

const KEYWORD = 2;
const TEXT = 1;

let connection: Connection;
/** The same server as seen by somebody who may not list search attributes, as on Temporal Cloud. */
let reader: TemporalService;

beforeAll(async () => {
  connection = await Connection.connect({ address: provided().temporal.address });
  const { workflowService } = connection;
  reader = { workflowService, withDeadline: (deadline, call) => connection.withDeadline(deadline, call) };
});

afterAll(() => connection.close());

async function createBareNamespace(): Promise<string> {
  const namespace = `bare-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never, nanos: 0 },
  });
  return namespace;
}

async function problemOf(service: TemporalService, namespace: string): Promise<MissingSearchAttributes> {
  return checkSearchAttributes(service, namespace).then(
    () => Promise.reject(new Error('nothing was missing')),
    (error: unknown) => error as MissingSearchAttributes,
  );
}

test('a namespace with all search attributes is accepted', async () => {
  const namespace = await createNamespace(connection);
  await checkSearchAttributes(connection, namespace);
  await checkSearchAttributes(reader, namespace);
});

test('a namespace without them is refused with the command that adds them, instead of hanging', async () => {
  const namespace = await createBareNamespace();
  for (const service of [connection, reader]) {
    const problem = await problemOf(service, namespace);
    expect(problem).toBeInstanceOf(MissingSearchAttributes);
    expect(problem.missing).toHaveLength(8);
    expect(problem.message).toContain(
      `temporal operator search-attribute create --namespace ${namespace} --name LeaseState --type Keyword --name`,
    );
    expect(problem.message).toContain('--name LeaseExpiresAt --type Datetime');
  }
  await expect(connectLeases({ connection, namespace })).rejects.toBeInstanceOf(MissingSearchAttributes);
});

test('only what is missing or of the wrong type is named', async () => {
  const namespace = await createBareNamespace();
  const names = ['LeaseState', 'LeaseProject', 'LeaseConfig', 'LeaseDynamicSecret', 'LeaseIntegration', 'LeaseEntity'];
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: { ...Object.fromEntries(names.map((name) => [name, KEYWORD])), LeaseHolder: TEXT as never },
  });
  const problem = await problemOf(connection, namespace);
  expect(problem.missing).toEqual(['LeaseExpiresAt']);
  expect(problem.wrongType).toEqual(['LeaseHolder']);
  expect(problem.message).toContain('LeaseHolder is of type Text but must be Keyword');
  expect((await problemOf(reader, namespace)).missing).toEqual(['LeaseHolder', 'LeaseExpiresAt']);
});

test('a namespace that does not exist is called unknown', async () => {
  await expect(checkSearchAttributes(connection, 'not-there')).rejects.toThrow(
    /"not-there".*does not know the namespace/,
  );
  await expect(deploymentId(connection, 'not-there')).rejects.toThrow(/"not-there".*does not know the namespace/);
});

test('a deployment mark belongs to one namespace and stays', async () => {
  const [one, other] = [await createBareNamespace(), await createBareNamespace()];
  const mark = await deploymentId(connection, one);
  expect(mark).toMatch(/^[a-z2-7]{8}$/);
  expect(await deploymentId(connection, one)).toBe(mark);
  expect(await deploymentId(connection, other)).not.toBe(mark);
});
