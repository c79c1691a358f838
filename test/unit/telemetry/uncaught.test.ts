import { placesOf, systemCodeOf } from '../../../telemetry/uncaught';

test('of an uncaught error the frames are told and nothing of its message, which may look like frames', () => {
  const error = new Error('first line\n    at SECRET (secret.js:1:1)\nlast line');
  const places = placesOf(error);
  expect(places[0]).toMatch(/^at .*uncaught\.test\.ts/);
  expect(places.join('\n')).not.toContain('SECRET');
});

test('nothing is told of what has no stack, or another than its own', () => {
  expect(placesOf('text')).toEqual([]);
  expect(placesOf(Object.assign(new Error('a'), { stack: undefined }))).toEqual([]);
  expect(placesOf(Object.assign(new Error('another message'), { stack: 'Error: b\n    at SECRET' }))).toEqual([]);
});

test('its code is told if it is one of the system, and nothing else that stands there', () => {
  const codeOf = (code: unknown): unknown => systemCodeOf(Object.assign(new Error('a'), { code }));
  expect(codeOf('ECONNRESET')).toBe('ECONNRESET');
  expect(['AKIAIOSFODNN7EXAMPLE', 'ESECRET', 42501, undefined].map(codeOf)).toEqual(Array(4).fill(undefined));
  expect(systemCodeOf({ code: 'EPIPE' })).toBeUndefined();
});
