import { ATTRIBUTES } from '../workflows/contract';
import { TemporalError } from './connection';
import { CALL_TIMEOUT_MS, explainFailure, grpcStatusOf } from './service';
import type { TemporalService } from './service';
import { shellWord } from './shell-word';

type AttributeType = 'Keyword' | 'Datetime';
interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
}

const TYPES = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;
/** Temporal's IndexedValueType, for those that can be meant by mistake. */
const INDEXED: Readonly<Record<number, string>> = {
  1: 'Text',
  2: 'Keyword',
  3: 'Int',
  4: 'Double',
  5: 'Bool',
  6: 'Datetime',
  7: 'KeywordList',
};

/** What must be registered in the namespace. */
export const REQUIRED_ATTRIBUTES: readonly Attribute[] = Object.values(ATTRIBUTES).map(({ name, type }) => ({
  name,
  type: TYPES[type],
}));

/** The namespace lacks search attributes, so that every lease would hang. The message says how to add them. */
export class MissingSearchAttributes extends Error {
  override readonly name = 'MissingSearchAttributes';

  constructor(
    readonly namespace: string,
    readonly missing: readonly string[],
    readonly wrongType: readonly string[],
    message: string,
  ) {
    super(message);
  }
}

/**
 * Makes sure that the namespace has the search attributes of leases.
 * @throws MissingSearchAttributes with the command that adds them; TemporalError if Temporal does not tell.
 */
export async function checkSearchAttributes(service: TemporalService, namespace: string): Promise<void> {
  const ask = <T>(call: () => Promise<T>): Promise<T> => service.withDeadline(Date.now() + CALL_TIMEOUT_MS, call);
  let known: ReadonlyMap<string, string>;
  try {
    known = (await ask(() => listTypes(service, namespace))) ?? (await probe(service, namespace, ask));
  } catch (error) {
    throw new TemporalError(
      `The search attributes of namespace ${JSON.stringify(namespace)} cannot be read. ${explainFailure(error)}`,
    );
  }
  const missing = REQUIRED_ATTRIBUTES.filter(({ name }) => !known.has(name));
  const wrong = REQUIRED_ATTRIBUTES.filter(({ name, type }) => known.has(name) && known.get(name) !== type);
  if (missing.length === 0 && wrong.length === 0) return;
  throw new MissingSearchAttributes(
    namespace,
    missing.map(({ name }) => name),
    wrong.map(({ name }) => name),
    describe(namespace, missing, wrong, known),
  );
}

/** Names and types as the server lists them; null if it does not let us: Temporal Cloud reserves that to its own API. */
async function listTypes(service: TemporalService, namespace: string): Promise<Map<string, string> | null> {
  if (service.operatorService === undefined) return null;
  try {
    const { customAttributes } = await service.operatorService.listSearchAttributes({ namespace });
    return new Map(Object.entries(customAttributes).map(([name, type]) => [name, INDEXED[type] ?? 'another type']));
  } catch (error) {
    const status = grpcStatusOf(error);
    if (status === 'permissionDenied' || status === 'unauthenticated' || status === 'unimplemented') return null;
    throw error;
  }
}

/** Asks with the right to read alone: a query that uses an unknown attribute, or one of the wrong type, is refused. */
async function probe(
  service: TemporalService,
  namespace: string,
  ask: <T>(call: () => Promise<T>) => Promise<T>,
): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for (const { name, type } of REQUIRED_ATTRIBUTES) {
    const query = type === 'Keyword' ? `${name} STARTS_WITH "x"` : `${name} < "2000-01-01T00:00:00Z"`;
    try {
      await ask(() => service.workflowService.countWorkflowExecutions({ namespace, query }));
      known.set(name, type);
    } catch (error) {
      if (grpcStatusOf(error) !== 'invalidArgument') throw error;
    }
  }
  return known;
}

function describe(
  namespace: string,
  missing: readonly Attribute[],
  wrong: readonly Attribute[],
  known: ReadonlyMap<string, string>,
): string {
  const lines: string[] = [];
  if (missing.length > 0) {
    const options = missing.map(({ name, type }) => `--name ${name} --type ${type}`).join(' ');
    lines.push(
      `Namespace ${JSON.stringify(namespace)} lacks the search attributes ${names(missing)}. Add them with:`,
      `  temporal operator search-attribute create --namespace ${shellWord(namespace)} ${options}`,
      'On Temporal Cloud add them in its web console or with tcld.',
    );
  }
  for (const { name, type } of wrong) {
    lines.push(
      `Search attribute ${name} is of type ${known.get(name) ?? ''} but must be ${type}. Rename or remove the existing one, then add it with:`,
      `  temporal operator search-attribute create --namespace ${shellWord(namespace)} --name ${name} --type ${type}`,
    );
  }
  return lines.join('\n');
}

function names(attributes: readonly Attribute[]): string {
  return attributes.map(({ name }) => name).join(', ');
}
