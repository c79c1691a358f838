import { z } from 'zod';
import { MAX_ARN, POLICY_ARN, POLICY_TEXT } from './syntax';

type Json = Record<string, unknown>;

/** How long a policy document may be, and what to do when it is longer. */
export interface PolicyLimit {
  readonly characters: number;
  /** How AWS counts a document at this place. */
  readonly count: (document: string) => number;
  /** Follows the number of characters that were counted. */
  readonly counted: string;
}

/** A policy, as an object or as its JSON; afterwards the JSON without needless whitespace. */
export function policyDocument(limit: PolicyLimit) {
  return z
    .union([z.string(), z.record(z.string(), z.unknown())], 'must be a policy document')
    .transform((document, context): string => {
      const problem = describeProblem(document, limit);
      if (problem === null) return JSON.stringify(toObject(document));
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    });
}

/** @param why so many and no more. */
export function policyArns(why: string) {
  return z
    .array(
      z
        .string()
        .max(MAX_ARN)
        .regex(POLICY_ARN, 'must be the ARN of a managed policy, for example arn:aws:iam::aws:policy/ReadOnlyAccess'),
    )
    .max(10, `must hold at most 10 ARNs: ${why}`)
    .refine((arns) => new Set(arns).size === arns.length, 'must not name one policy twice');
}

function toObject(document: string | Json): unknown {
  if (typeof document !== 'string') return document;
  try {
    return JSON.parse(document) as unknown;
  } catch {
    return undefined;
  }
}

function describeProblem(document: string | Json, limit: PolicyLimit): string | null {
  const parsed = toObject(document);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return 'must be a policy document: an object, or a string with the JSON of one';
  }
  const statement = 'Statement' in parsed ? parsed.Statement : undefined;
  if (typeof statement !== 'object' || statement === null || Object.keys(statement).length === 0) {
    return 'must have a Statement that is not empty, like every policy document';
  }
  const text = JSON.stringify(parsed);
  if (!POLICY_TEXT.test(text)) return 'holds a character that AWS refuses in policies: only Latin-1 is allowed';
  const length = limit.count(text);
  if (length > limit.characters) {
    return (
      `has ${length} characters${limit.counted}, at most ${limit.characters} are allowed: ` +
      'shorten it, or put it into a managed policy and name that in policy_arns'
    );
  }
  return null;
}
