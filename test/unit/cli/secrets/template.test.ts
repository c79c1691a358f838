import { fill, parseTemplate, slotsOf, TemplateError } from '../../../../cli/secrets/template';

const VALUES: Readonly<Record<string, string>> = { NAME: 'a value', QUOTED: 'say "hi"\n', SLY: '{{ NAME }} $& $1 {{' };

function filled(source: string): string {
  return fill(parseTemplate(source), (name) => VALUES[name] ?? `no ${name}`);
}

function refusalOf(source: string): TemplateError {
  try {
    parseTemplate(source);
  } catch (error) {
    if (error instanceof TemplateError) return error;
  }
  throw new Error('it was understood');
}

test('a name in braces stands for its value, with or without a dot and spaces', () => {
  expect(filled('{{ NAME }}|{{NAME}}|{{.NAME}}|{{ .NAME }}|{{\t.NAME\n}}')).toBe(Array(5).fill('a value').join('|'));
});

test('tojson writes a value as a string of JSON', () => {
  expect(filled('{"a": {{ tojson .QUOTED }}, "b": {{tojson NAME}}}')).toBe('{"a": "say \\"hi\\"\\n", "b": "a value"}');
  expect(slotsOf(parseTemplate('{{ tojson }}'))).toMatchObject([{ name: 'tojson', asJson: false }]);
});

test('a value is inserted as it is and never read as a template, nor as a pattern of replacement', () => {
  expect(filled('<{{ SLY }}>{{ NAME }}')).toBe('<{{ NAME }} $& $1 {{>a value');
});

test('everything else stays as it is: other braces, line ends, a byte order mark, no line end', () => {
  for (const text of ['', 'a\r\nb', '\ufeff{ } }} {a}}', '{"a":{"b":1}}', '$NAME ${NAME} %NAME%', '{ {NAME} }']) {
    expect(filled(text)).toBe(text);
  }
  expect(filled('{"a":{"b":"{{ NAME }}"}}')).toBe('{"a":{"b":"a value"}}');
});

test('braces that are meant as braces are written as a text in braces', () => {
  expect(filled('{{ "{{" }} NAME }} and {{"}}"}}')).toBe('{{ NAME }} and }}');
});

test.each([
  ['{{', 1, 1],
  ['ok {{ NAME }}\nünï✓😀 {{ NAME', 2, 7],
  ['a\r\nb\n\n  {{ if .NAME }}', 4, 3],
  ['{{}}', 1, 1],
  ['{{ 1NAME }}', 1, 1],
  ['{{ NAME OTHER }}', 1, 1],
  ['{{ ..NAME }}', 1, 1],
  ['{{ NAME | tojson }}', 1, 1],
  ['{{{ NAME }}}', 1, 1],
  ['{{ "a" }}', 1, 1],
  ['{{ NAME }} {{ {{ NAME }} }}', 1, 12],
])('braces without a name are refused where they stand: %j', (source, line, column) => {
  expect(refusalOf(source).position).toEqual({ line, column });
});

test('a refusal repeats nothing of the template, which may hold a secret', () => {
  expect(refusalOf('hunter2 {{ hunter2! }}').message).not.toContain('hunter2');
});

test('names are told with the place where each stands, as often as it stands there', () => {
  expect(slotsOf(parseTemplate('{{ A }}\n {{ B }}{{ A }}'))).toEqual([
    { name: 'A', asJson: false, position: { line: 1, column: 1 } },
    { name: 'B', asJson: false, position: { line: 2, column: 2 } },
    { name: 'A', asJson: false, position: { line: 2, column: 9 } },
  ]);
});

test('a long template, and one of nothing but spaces in braces, is read at once', () => {
  expect(filled('{{NAME}} '.repeat(20_000)).length).toBe(160_000);
  expect(refusalOf(`{{${' '.repeat(100_000)}`).position).toEqual({ line: 1, column: 1 });
});
