import { deflateSync, gzipSync } from 'node:zlib';
import { createLeakSearch } from '../../support/leak-search';
import { allOf } from '../../support/leak-hunt';

const VALUE = 'CANARY/with+odd="chars"&<more>0123456789';
const search = createLeakSearch(new Map([['a canary', VALUE]]));
const found = (content: string | Uint8Array) =>
  search.find(typeof content === 'string' ? Buffer.from(content) : content).length > 0;
const json = (text: string): string => JSON.stringify(text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test.each<[string, string | Uint8Array]>([
  ['as it is', `x${VALUE}y`],
  ['at the very end', VALUE],
  ['in JSON', json(VALUE)],
  ['in JSON in JSON', json(json(VALUE))],
  ['in a URL', `?a=${encodeURIComponent(VALUE)}`],
  ['in a form', new URLSearchParams({ a: VALUE }).toString()],
  ['in HTML', `<p>${VALUE.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')}`],
  ['in base 64', base64(VALUE)],
  ['in base 64, after one character', base64(`x${VALUE}`)],
  ['in base 64, after two characters and before more', base64(`xy${VALUE}and more`)],
  ['in base 64 for URLs', Buffer.from(`x${VALUE}`).toString('base64url')],
  ['in base 64 of base 64', base64(`x${base64(`yz${VALUE}`)}`)],
  ['in hexadecimal', Buffer.from(VALUE).toString('hex')],
  ['in UTF-16', Buffer.from(`x${VALUE}`, 'utf16le')],
  ['compressed', Buffer.concat([Buffer.from('head'), gzipSync(`x${VALUE}`), Buffer.from('tail')])],
  ['compressed and cut', gzipSync(`x${VALUE}${'y'.repeat(50)}`).subarray(0, -8)],
  ['deflated', Buffer.concat([Buffer.from('head'), deflateSync(`x${VALUE}`), Buffer.from('tail')])],
  ['cut in its first half', `${VALUE.slice(0, 9)}\0\0\0\x07${VALUE.slice(9)}`],
  ['cut in its second half', `${VALUE.slice(0, 30)}\0\0\0\x07${VALUE.slice(30)}`],
  ['as a binary view that does not begin at 0', Buffer.from(`xxxx${VALUE}`).subarray(3)],
])('a canary is found %s', (_, content) => {
  expect(found(content)).toBe(true);
});

test('nothing is found where nothing is', () => {
  expect(found('')).toBe(false);
  expect(found(VALUE.slice(0, 10))).toBe(false);
  expect(found('CANARY/with another end, and nothing of the first')).toBe(false);
});

test.each<[string, unknown]>([
  ['in the message of a cause', new Error('a', { cause: new Error(VALUE) })],
  ['in a property that is not enumerable', Object.defineProperty({}, 'hidden', { value: { deep: VALUE } })],
  ['behind a symbol', { [Symbol('s')]: VALUE }],
  ['behind a getter', Object.defineProperty({}, 'got', { get: () => VALUE })],
  [
    'behind a getter of a class',
    new (class {
      get got() {
        return VALUE;
      }
    })(),
  ],
  ['in the stack', Object.assign(new Error('a'), { stack: VALUE })],
  ['in bytes', { body: Buffer.from(VALUE) }],
  ['in a map', new Map([[{ a: 1 }, [VALUE]]])],
  ['in an aggregate', new AggregateError([new Error(VALUE)])],
  ['in an array that is long', [...Array<number>(500).fill(0), VALUE]],
])('all of a value shows a canary %s', (_, value) => {
  expect(found(allOf(value))).toBe(true);
});
