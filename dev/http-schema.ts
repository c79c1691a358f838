/** As much of a JSON schema as the description of the API has. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly maxLength?: number;
  readonly examples?: readonly unknown[];
}

/** A value that is sent or answered, with its place: `limits.provisions`, `leases[].lease_id`. */
export interface Field {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
  readonly meaning: string;
}

/** All that an object holds, each after what it lies in. */
export function fieldsOf(schema: Schema, path = ''): readonly Field[] {
  const { properties = {}, required = [] } = objectOf(schema) ?? {};
  return Object.entries(properties).flatMap(([name, each]) => {
    const here = `${path}${name}`;
    const field = {
      name: here,
      isRequired: required.includes(name),
      type: typeOf(each),
      meaning: each.description ?? '',
    };
    const list = each.type === 'array' ? each.items : undefined;
    return [field, ...fieldsOf(list ?? each, `${here}${list === undefined ? '.' : '[].'}`)];
  });
}

/** The object that a schema is, or may be beside null. */
function objectOf(schema: Schema): Schema | undefined {
  if (schema.properties !== undefined) return schema;
  return schema.anyOf?.find(({ properties }) => properties !== undefined);
}

/** In a few words, with a link where it has a section of its own. */
export function typeOf(schema: Schema): string {
  const { $ref, anyOf, type, items, properties, additionalProperties, format, maxLength } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${String(each)}\``).join(', ');
  if (typeof type === 'object') return type.map((each) => typeOf({ ...schema, type: each })).join(' or ');
  switch (type) {
    case 'array':
      return `list of ${items === undefined ? 'anything' : typeOf(items)}`;
    case 'object':
      return properties === undefined && typeof additionalProperties === 'object'
        ? `object of ${typeOf(additionalProperties)}`
        : 'object';
    case 'string':
      if (format === 'date-time') return 'instant';
      return maxLength === undefined ? 'text' : `text, at most ${String(maxLength)} characters`;
    case 'boolean':
      return '`true` or `false`';
    case 'null':
      return '`null`';
    case undefined:
      return 'anything';
    default:
      return type;
  }
}

/** The name of a schema that several routes share. */
export function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? reference;
}

function linkTo(reference: string): string {
  const name = nameOf(reference);
  return `[${name}](#${name.toLowerCase()})`;
}

/** What stands beside a schema as its example, wherever it was put. */
export function exampleOf(media: { readonly example?: unknown; readonly schema?: Schema }): unknown {
  const { example, schema = {} } = media;
  return example ?? schema.examples?.[0] ?? schema.anyOf?.flatMap(({ examples = [] }) => examples)[0];
}
