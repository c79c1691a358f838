import { DatabaseError } from 'pg';
import {
  isConnectionLost,
  isDefiniteRefusal,
  toIntegrationError,
} from '../../../../activities/integrations/postgresql/errors';

const CANARY = 'canary-3f9c';

function serverError(code: string): DatabaseError {
  const error = new DatabaseError(`${CANARY} message`, 1, 'error');
  return Object.assign(error, { code, detail: CANARY, hint: CANARY, internalQuery: CANARY, where: CANARY });
}

const convert = (error: unknown) => toIntegrationError(error, { operation: 'CreateRole', entity: 'role' });

test.each([
  ['42501', 'Refused'],
  ['28P01', 'Refused'],
  ['28000', 'Refused'],
  ['53300', 'Throttled'],
  ['53200', 'Unavailable'],
  ['57P03', 'Unavailable'],
  ['57P01', 'Unavailable'],
  ['08006', 'Unavailable'],
  ['08P01', 'Unavailable'],
  ['42704', 'NotFound'],
  ['42601', 'InvalidInput'],
  ['22023', 'InvalidInput'],
  ['22012', 'Unavailable'],
  ['3D000', 'InvalidInput'],
  ['2BP01', 'Unavailable'],
  ['55P03', 'Unavailable'],
  ['25006', 'Unavailable'],
  ['40001', 'Unavailable'],
  ['XX000', 'Unavailable'],
  ['ZZ999', 'Unavailable'],
])('SQLSTATE %s becomes %s, and nothing that the server wrote is repeated', (code, type) => {
  const error = convert(serverError(code));
  expect(error).toMatchObject({ type, facts: { code, operation: 'CreateRole', entity: 'role' } });
  expect(JSON.stringify([error.message, error.stack, error.facts, error.cause])).not.toContain(CANARY);
});

test.each(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
  "Node's %s becomes Unavailable",
  (code) => {
    const error = convert(Object.assign(new Error(CANARY), { code }));
    expect(error).toMatchObject({ type: 'Unavailable', facts: { code } });
    expect(error.message).not.toContain(CANARY);
  },
);

test('an error that is none of theirs says nothing of itself', () => {
  for (const thrown of [new Error(CANARY), CANARY, { code: `${CANARY}!` }, null]) {
    expect(convert(thrown)).toMatchObject({ type: 'Unavailable' });
    expect(convert(thrown).message).not.toContain(CANARY);
  }
});

test('what a server refused it did not do; what it said of the connection leaves that open', () => {
  for (const code of ['42501', '42710', '22012', '53300']) expect(isDefiniteRefusal(serverError(code))).toBe(true);
  for (const code of ['57P01', '58030', 'XX000', '08006']) expect(isDefiniteRefusal(serverError(code))).toBe(false);
  expect(isDefiniteRefusal(new Error('Connection terminated unexpectedly'))).toBe(false);
});

test('a dead connection is told from a refusal', () => {
  expect(isConnectionLost(serverError('57P01'))).toBe(true);
  expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isConnectionLost(Object.assign(new Error(), { code: 'ECONNRESET' }))).toBe(true);
  expect(isConnectionLost(serverError('42501'))).toBe(false);
});
