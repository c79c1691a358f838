import { ATTRIBUTES, LEASE_ENDS, LEASE_WORKFLOW } from '../workflows/contract';
import type { LeaseFilter, LeaseSummary } from './leases';

const FIELDS = ['project', 'config', 'dynamicSecret', 'integration', 'holder'] as const;

/** Characters of which Temporal's query language makes something else, however they are escaped. */
const UNQUOTABLE = /[\\"'\p{Cc}]/u;
/** Beside them, those that mean something in a prefix. */
const NO_PREFIX = /[\\"'\p{Cc}%_!]/u;

/** Not by status: a paused workflow is no ended one. */
const RUNNING = 'CloseTime IS NULL';

/**
 * A visibility query for leases. Filters hold text from outside, so this is the only place where one is built. It may find too
 * much, never too little: ask {@link matches} of each lease found.
 */
export function buildQuery(filter: LeaseFilter): string {
  const clauses = [`WorkflowType = "${LEASE_WORKFLOW}"`];
  for (const field of FIELDS) {
    const value = filter[field];
    if (value !== undefined) clauses.push(...textClauses(ATTRIBUTES[field].name, value));
  }
  if (filter.live !== undefined) clauses.push(filter.live ? RUNNING : 'CloseTime IS NOT NULL');
  if (filter.state !== undefined) clauses.push(...stateClauses(filter.state));
  return clauses.join(' AND ');
}

/** Whether a lease is what the filter asks for, to the letter. */
export function matches(lease: LeaseSummary, filter: LeaseFilter): boolean {
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

/** A terminated workflow keeps the state it had, so that a state alone would list it as what it is no more. */
function stateClauses(state: NonNullable<LeaseFilter['state']>): string[] {
  if (state === 'terminated') return ['ExecutionStatus IN ("Terminated", "TimedOut", "Failed", "Canceled")'];
  const ended = LEASE_ENDS.some((end) => end === state);
  return [`${ATTRIBUTES.state.name} = "${state}"`, ended ? 'ExecutionStatus = "Completed"' : RUNNING];
}
