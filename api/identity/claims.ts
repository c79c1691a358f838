import type { ClaimValue, RuleSettings } from '../../config/load';

export type Claims = Readonly<Record<string, unknown>>;

/** The first rule that the claims match, undefined if none. */
export function findRule(claims: Claims, rules: readonly RuleSettings[]): RuleSettings | undefined {
  return rules.find((rule) =>
    rule.claims.every(({ path, values }) => {
      const claim = claimAt(claims, path);
      // Of a list, such as one of groups, one entry must match.
      const entries: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
      return entries.some((entry) => values.some((value) => isMatch(entry, value)));
    }),
  );
}

/** What stands at a path of claims within claims, undefined if nothing does. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    return (at as Claims)[name];
  }, claims);
}

/** Numbers and truths match as such: the text `true` is another thing. */
function isMatch(claim: unknown, value: ClaimValue): boolean {
  if (typeof claim !== 'string' || typeof value !== 'string') return claim === value;
  const parts = split(value);
  const found = split(claim);
  return parts.length === found.length && parts.every((part, index) => isPartMatch(found[index] ?? '', part));
}

/** At each `/` and `:`, which are kept. No `*` stands for them, so that nobody can put more levels into a name than were meant. */
function split(text: string): readonly string[] {
  return text.split(/([/:])/);
}

/** Takes as many steps as the text has characters, however many `*` there are. */
function isPartMatch(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const next = text.indexOf(piece, at + 1);
    if (next === -1) return false;
    at = next + piece.length;
  }
  return text.length - last.length > at && text.endsWith(last);
}
