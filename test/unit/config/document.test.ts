import { readDocument } from '../../../config/document';
import { errorOf, load, problemsOf } from '../../support/config-text';

const valueOf = (text: string): unknown => {
  const { value, faults } = readDocument(text, 'test.yaml');
  expect(faults).toEqual([]);
  return value;
};

describe('the YAML of a configuration', () => {
  test('has text where other readers see dates, switches and binary', () => {
    expect(valueOf('a: yes\nb: 2024-01-01\nc: 1_000\n007: on\nnull: ~')).toEqual({
      a: 'yes',
      b: '2024-01-01',
      c: '1_000',
      '007': 'on',
      null: null,
    });
    expect(valueOf('%YAML 1.1\n---\na: yes\n<<: {b: 1}')).toEqual({ a: 'yes', '<<': { b: 1 } });
  });

  test('may begin with a byte order mark and end its lines in any way', () => {
    expect(load('\ufeffversion: 1\r\nintegrations:\r\n  a:\r\n    type: bare\r\n').integrations['a']?.type).toBe(
      'bare',
    );
  });

  test('may be JSON', () => {
    expect(load('{"version":1,"integrations":{"a":{"type":"bare"}}}').integrations['a']?.type).toBe('bare');
  });

  test('may use an alias, which counts as what it stands for', () => {
    expect(valueOf('a: &x {b: [1, &y two]}\nc: *x\nd: *y')).toEqual({
      a: { b: [1, 'two'] },
      c: { b: [1, 'two'] },
      d: 'two',
    });
  });

  test.each([
    ['a: "canary', 1, /closing quote/],
    ['a: 1\n b: canary', 1, /one line/],
    ['a:\n  b: 1\n c: canary', 3, /indentation/],
    ['a: b: canary', 1, /second "key: value"/],
    ['a:\n\tb: canary', 2, /tabs/],
    ['a: "\\canary"', 1, /backslash/],
    ['a: @canary', 1, /quotes/],
    ['a: 1\n---\ncanary: 2', 2, /one document/],
    ['a: !!binary canary', 1, /tag/],
    ['a: !canary b', 1, /tag/],
    ['? [canary]\n: b', 1, /keys/],
    ['{a: canary', 1, /missing/],
    ['a: 1\nb: \u0000canary', 2, /control character/],
  ])('%j is refused at its line without repeating it', (text, line, sentence) => {
    const error = errorOf(text);
    expect(error.problems[0]).toMatchObject({ line, message: expect.stringMatching(sentence) as unknown });
    expect(error.message).not.toContain('canary');
  });

  test.each(['1e9', '1E3', '+5', '007', '0x1F', '0o17', '1.0', '.5', '.inf', '-.inf', '.nan', '12345678901234567890'])(
    'the number %s is refused, because it is not what it looks like',
    (written) => {
      const { faults } = readDocument(`a: [${written}]`, 'test.yaml');
      expect(faults.map(({ problem }) => problem)).toMatchObject([{ path: 'a[0]', line: 1, column: 5 }]);
    },
  );

  test('keys that stand twice are refused, each at its second place, also in a large file at once', () => {
    expect(errorOf('version: 1\nprojects: {}\nversion: 1').problems).toMatchObject([
      { path: 'version', line: 3, column: 1, message: 'stands here twice: remove one' },
    ]);
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}: 1`);
    const begun = Date.now();
    expect(readDocument([...keys, 'k7: 1'].join('\n'), 'test.yaml').faults).toHaveLength(1);
    expect(Date.now() - begun).toBeLessThan(4_000);
  });

  test('an alias of itself, of nothing, or of something below it is refused', () => {
    expect(problemsOf('version: 1\nprojects: &p {a: *p}')).toEqual(['projects.a: contains itself through an alias']);
    expect(problemsOf('version: *v')).toEqual([expect.stringContaining('not anchored above')]);
    expect(problemsOf('version: *v\nx: &v 1')[0]).toContain('not anchored above');
  });

  test('aliases that multiply are refused before they fill the memory', () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const inner = index === 0 ? 'x' : `*l${index - 1}`;
      return `l${index}: &l${index} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    expect(problemsOf(levels.join('\n'))).toEqual([expect.stringContaining('more than 100000 values')]);
  });

  test('values nested too deeply are refused', () => {
    expect(errorOf('['.repeat(2_000)).message).toMatch(/nested too deeply/);
    expect(problemsOf(`version: ${'['.repeat(100)}${']'.repeat(100)}`)).toContainEqual(
      expect.stringContaining('64 levels'),
    );
  });

  test('__proto__ is refused as a name everywhere, and changes nothing', () => {
    expect(problemsOf('version: 1\n__proto__: {polluted: 1}\nprojects: {a: {__proto__: {polluted: 1}}}')).toEqual([
      '__proto__: is not allowed as a name',
      'projects.a.__proto__: is not allowed as a name',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
