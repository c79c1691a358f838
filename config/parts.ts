import type { z } from 'zod';
import { keyOf } from './problems';
import { flatNames } from '../flat/names';
import type { Path } from './problems';
import { entriesOf, fieldOf } from './records';
import { checkWith } from './sentences';
import type { Finding } from './sentences';

/** What a type of integration knows of its own parts of the file. */
export interface TypeSchemas {
  readonly connection: z.ZodType;
  readonly parameters: z.ZodType;
  /** Names in every credential made with these parameters, which are as the schema gave them. */
  fields(parameters: unknown): readonly string[];
  /** Where the file does not say: the calls that its provider bears. */
  readonly callsPerSecond?: number;
}

/** The types of integrations by the `type` that names them. */
export type Types = Readonly<Record<string, TypeSchemas>>;

/** The parts that belong to the types, as their schemas gave them, and what is wrong with them. */
export interface Parts {
  readonly findings: readonly Finding[];
  /** Of an integration. */
  connection(integration: string): unknown;
  /** Of an integration; undefined: its type says nothing. */
  callsPerSecond(integration: string): number | undefined;
  /** Of a dynamic secret. */
  parameters(project: string, config: string, dynamicSecret: string): unknown;
  /** Names in its credentials. */
  fields(project: string, config: string, dynamicSecret: string): readonly string[];
}

/**
 * Checks what the file's own schema cannot: names that refer to each other, and the parts that belong to types. Takes the
 * file as it was read, so that a mistake elsewhere hides none here.
 */
export function checkParts(file: unknown, types: Types): Parts {
  const findings: Finding[] = [];
  const values = new Map<string, unknown>();
  const integrations = new Map(entriesOf(file, 'integrations'));

  function check(schema: z.ZodType, value: unknown, path: Path): void {
    const checked = checkWith(schema, value ?? {}, path);
    if ('value' in checked) values.set(keyOf(path), checked.value);
    else findings.push(...checked.findings.map((finding) => withoutValue(finding, value, path)));
  }

  function checkIntegration(name: string, entry: unknown): void {
    const path = ['integrations', name];
    const type = fieldOf(entry, 'type');
    const schemas = schemasOf(types, type);
    if (schemas !== undefined) check(schemas.connection, fieldOf(entry, 'connection'), [...path, 'connection']);
    else if (typeof type === 'string') {
      findings.push({ path: [...path, 'type'], message: `must be one of: ${Object.keys(types).join(', ')}` });
    }
  }

  function checkDynamicSecret(path: Path, entry: unknown): void {
    const name = fieldOf(entry, 'integration');
    if (typeof name !== 'string') return;
    if (!integrations.has(name)) {
      const known = [...integrations.keys()].join(', ');
      const message = `must name an integration of this file: ${known === '' ? 'there is none yet' : known}`;
      findings.push({ path: [...path, 'integration'], message });
      return;
    }
    const schemas = schemasOf(types, fieldOf(integrations.get(name), 'type'));
    if (schemas !== undefined) check(schemas.parameters, fieldOf(entry, 'parameters'), [...path, 'parameters']);
  }

  function checkConfig(path: Path, entry: unknown): void {
    const dynamicSecrets = entriesOf(entry, 'dynamic_secrets');
    for (const [name, dynamicSecret] of dynamicSecrets) {
      checkDynamicSecret([...path, 'dynamic_secrets', name], dynamicSecret);
    }
    const taken = new Map<string, string>();
    for (const [name] of dynamicSecrets) taken.set(name, 'the name of a dynamic secret');
    for (const [name, dynamicSecret] of dynamicSecrets) {
      for (const flat of flatNames(name, fieldsOf([...path, 'dynamic_secrets', name], dynamicSecret))) {
        const holder = taken.get(flat);
        if (holder === undefined) taken.set(flat, `what dynamic secret ${name} is handed out as`);
        else {
          const message = `would be handed out as ${flat}, which is also ${holder} of this config: rename one of them`;
          findings.push({ path: [...path, 'dynamic_secrets', name], message });
        }
      }
    }
    for (const [name] of entriesOf(entry, 'secrets')) {
      const holder = taken.get(name);
      if (holder === undefined) continue;
      findings.push({
        path: [...path, 'secrets', name],
        message: `is also ${holder} of this config: rename one of them`,
      });
    }
  }

  /** None of a dynamic secret whose parameters are wrong: that has been said, and nothing will be made of this file. */
  function fieldsOf(path: Path, entry: unknown): readonly string[] {
    const name = fieldOf(entry, 'integration');
    const integration = typeof name === 'string' ? integrations.get(name) : undefined;
    const parameters = values.get(keyOf([...path, 'parameters']));
    if (parameters === undefined) return [];
    return schemasOf(types, fieldOf(integration, 'type'))?.fields(parameters) ?? [];
  }

  for (const [name, entry] of integrations) checkIntegration(name, entry);
  for (const [project, body] of entriesOf(file, 'projects')) {
    for (const [config, entry] of entriesOf(body, 'configs')) {
      checkConfig(['projects', project, 'configs', config], entry);
    }
  }
  return {
    findings,
    connection: (integration) => values.get(keyOf(['integrations', integration, 'connection'])),
    callsPerSecond: (integration) => schemasOf(types, fieldOf(integrations.get(integration), 'type'))?.callsPerSecond,
    fields: (project, config, name) => {
      const path = ['projects', project, 'configs', config, 'dynamic_secrets', name];
      return fieldsOf(path, dynamicSecretAt(file, project, config, name));
    },
    parameters: (project, config, name) =>
      values.get(keyOf(['projects', project, 'configs', config, 'dynamic_secrets', name, 'parameters'])),
  };
}

/** A type's own sentence must not repeat what was found: in a connection that may be a credential in the wrong place. */
function withoutValue(finding: Finding, root: unknown, base: Path): Finding {
  const found = finding.path.slice(base.length).reduce<unknown>((at, key) => fieldOf(at, String(key)), root);
  const isRepeated = typeof found === 'string' && found.length >= 4 && finding.message.includes(found);
  return isRepeated ? { ...finding, message: 'is not allowed here' } : finding;
}

function dynamicSecretAt(file: unknown, project: string, config: string, name: string): unknown {
  return ['projects', project, 'configs', config, 'dynamic_secrets', name].reduce<unknown>(fieldOf, file);
}

function schemasOf(types: Types, name: unknown): TypeSchemas | undefined {
  return typeof name === 'string' && Object.hasOwn(types, name) ? types[name] : undefined;
}
