import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { ATTRIBUTES } from '../../workflows/contract';

/** Values of Temporal's IndexedValueType. */
const TYPES = { KEYWORD: 2, DATETIME: 6 } as const;

/** A fresh namespace with the search attributes of leases, so that files of tests share no queue. */
export async function createNamespace(connection: Connection, namespace = `lab-${randomUUID()}`): Promise<string> {
  const day = { seconds: 86_400 as never, nanos: 0 };
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
  await addSearchAttributes(connection, namespace);
  return namespace;
}

export async function addSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const searchAttributes = Object.fromEntries(Object.values(ATTRIBUTES).map(({ name, type }) => [name, TYPES[type]]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}
