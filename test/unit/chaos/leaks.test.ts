import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchFiles, secretsOf } from '../../chaos/leaks';
import { createNeedles } from '../../chaos/needles';

const VALUE = 'wJalr+Utn"FEMI/K7MDENG bPxRfiCYEXAMPLEKEY';
const needles = createNeedles(
  new Map([
    ['the key', VALUE],
    ['another', 'another value that is not there'],
  ]),
);
const found = (text: string): string[] => [...needles.find(Buffer.from(text))];

describe('the search for leaks', () => {
  it.each([
    ['as it is', VALUE],
    ['in JSON', JSON.stringify({ key: VALUE })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ key: VALUE })).replaceAll('\\\\\\"', '\\"')],
    ['in a URL', `https://example.com/?key=${encodeURIComponent(VALUE)}&more`],
    ['in hexadecimal', `<${Buffer.from(VALUE).toString('hex')}>`],
    ['in base 64', Buffer.from(VALUE).toString('base64')],
    ['in base 64 with one byte before it', Buffer.from(`a${VALUE}`).toString('base64')],
    ['in base 64 with two bytes before it', Buffer.from(`ab${VALUE}cd`).toString('base64')],
    ['in base 64 within JSON', Buffer.from(`{"password":"${VALUE}","more":1}`).toString('base64url')],
  ])('finds a value %s', (_, text) => {
    expect(found(text)).toEqual(['the key']);
    expect(found(`before ${text} behind`)).toEqual(['the key']);
  });

  it('finds no value of which a part is missing', () => {
    expect(found(VALUE.slice(1))).toEqual([]);
    expect(found(VALUE.slice(0, -1))).toEqual([]);
    expect(found('')).toEqual([]);
  });

  it('looks for what is secret of a credential, and for what is the orchestrator’s own', () => {
    const credential = {
      ACCESS_KEY_ID: 'AKIA0000',
      SECRET_ACCESS_KEY: 's',
      API_KEY: 'a',
      APP_KEY: 'b',
      PASSWORD: 'p',
      USER: 'u',
    };
    const holding = { leaseId: 'x', credential };
    expect([...secretsOf([holding], new Map([['token of ada', 't']])).values()]).toEqual(['t', 's', 'a', 'b', 'p']);
  });

  it('finds a value in a file, on the border of two pieces too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'leasehold-needles-'));
    try {
      const piece = 4 << 20;
      await writeFile(join(directory, 'border'), `${'.'.repeat(piece - 10)}${VALUE}${'.'.repeat(piece)}`);
      await writeFile(join(directory, 'clean'), '.'.repeat(100));
      const { leaks, bytes, files } = await searchFiles(directory, needles);
      expect(leaks).toEqual(['the key stands in border']);
      expect([bytes, files]).toEqual([2 * piece - 10 + VALUE.length + 100, 2]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
