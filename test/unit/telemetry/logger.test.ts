import { createLogger } from '../../../telemetry/logger';

test('an error is logged by its type and message, without stack, cause or further properties', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line: string) => lines.push(line) });
  const error = Object.assign(new Error('Refused.', { cause: new Error('canary-cause') }), {
    type: 'Refused',
    $response: { body: 'canary-body' },
  });
  logger.error({ error }, 'It failed.');
  const line = lines.join('');
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    message: 'It failed.',
    error: { type: 'Refused', message: 'Refused.' },
  });
  expect(line).not.toMatch(/canary|at .*\.ts/);
});
