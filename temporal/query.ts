import { ATTRIBUTES, LEASE_ENDS, LEASE_WORKFLOW } from '../workflows/contract';
import type { LeaseSummary, SeenState } from './seen-lease';

/** What leases are looked for; all that is given must hold. */
export interface LeaseQuery {
  /** One of these. */
  readonly state?: SeenState | readonly SeenState[];
  readonly project?: string;
  readonly config?: string;
  readonly dynamicSecret?: string;
  readonly integration?: string;
  /** As shown: `library:<holder>`. */
  readonly holder?: string;
  /** Name of what was made at the provider. */
  readonly entity?: string;
  /** True: only leases that have not ended; false: only those that have. */
  readonly live?: boolean;
}

/** Where leases may be; `*`: in every project, or in every config of the project. */
export interface Reach {
  readonly project: string;
  readonly config: string;
}

const EVERYWHERE: Reach = { project: '*', config: '*' };

const FIELDS = ['project', 'config', 'dynamicSecret', 'integration', 'holder', 'entity'] as const;

/** Characters of which Temporal's query language makes something else, however they are escaped. */
const UNQUOTABLE = /[\\"'\p{Cc}]/u;
/** Beside them, those that mean something in a prefix. */
const NO_PREFIX = /[\\"'\p{Cc}%_!]/u;

/** Not by status: a paused workflow is no ended one. */
const RUNNING = 'CloseTime IS NULL';

/**
 * A visibility query for leases. Filters hold text from outside, so this is the only place where one is built. It may find too
 * much, never too little: ask {@link matches} of each lease found.
 * @param within in one of which they must be; absent: anywhere.
 */
export function buildQuery(filter: LeaseQuery, within: readonly Reach[] = [EVERYWHERE]): string {
  const clauses = [`WorkflowType = "${LEASE_WORKFLOW}"`, ...reachClauses(within)];
  for (const field of FIELDS) {
    const value = filter[field];
    if (value !== undefined) clauses.push(...textClauses(ATTRIBUTES[field].name, value));
  }
  if (filter.live !== undefined) clauses.push(filter.live ? RUNNING : 'CloseTime IS NOT NULL');
  if (filter.state !== undefined) clauses.push(stateClause([filter.state].flat()));
  return clauses.join(' AND ');
}

/** Whether a lease is what the filter asks for, to the letter. */
export function matches(lease: LeaseSummary, filter: LeaseQuery): boolean {
  return FIELDS.every((field) => filter[field] === undefined || filter[field] === lease[field]);
}

/**
 * Temporal unescapes a literal, escapes it again and compares with the result: a value with a quote or a backslash is never
 * equal to itself. Such a value is looked for by the plain text before the first of them.
 */
function textClauses(attribute: string, value: string): string[] {
  if (!UNQUOTABLE.test(value)) return [`${attribute} = "${value}"`];
  const prefix = value.slice(0, value.search(NO_PREFIX));
  return prefix === '' ? [`${attribute} IS NOT NULL`] : [`${attribute} STARTS_WITH "${prefix}"`];
}

function reachClauses(within: readonly Reach[]): string[] {
  const clauses = within.map(({ project, config }) => [
    ...(project === '*' ? [] : textClauses(ATTRIBUTES.project.name, project)),
    ...(config === '*' ? [] : textClauses(ATTRIBUTES.config.name, config)),
  ]);
  if (clauses.some((each) => each.length === 0)) return [];
  const either = clauses.map((each) => each.join(' AND '));
  return either.length === 1 ? either : [`(${either.map((each) => `(${each})`).join(' OR ')})`];
}

function stateClause(states: readonly SeenState[]): string {
  const clauses = states.map((state) => clausesOf(state).join(' AND '));
  return clauses.length === 1 ? clauses.join('') : `(${clauses.map((clause) => `(${clause})`).join(' OR ')})`;
}

/** A terminated workflow keeps the state it had, so that a state alone would list it as what it is no more. */
function clausesOf(state: SeenState): string[] {
  if (state === 'terminated') return ['ExecutionStatus IN ("Terminated", "TimedOut", "Failed", "Canceled")'];
  const ended = LEASE_ENDS.some((end) => end === state);
  return [`${ATTRIBUTES.state.name} = "${state}"`, ended ? 'ExecutionStatus = "Completed"' : RUNNING];
}
