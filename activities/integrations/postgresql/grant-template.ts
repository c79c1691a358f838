import { z } from 'zod';

export const PLACEHOLDERS = ['role', 'database'] as const;
export const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** What a dynamic secret may grant besides membership: one statement, in which only the placeholders are filled in. */
export const grantTemplate = z
  .string()
  .max(2_000, 'must be at most 2000 characters')
  .transform((template, context) => {
    const problem = describeProblem(template);
    if (problem === null) return template.trim();
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });

function describeProblem(template: string): string | null {
  const statement = template.trim();
  if (!/^(?:GRANT\s|ALTER\s+ROLE\s+\{\{role\}\}\s+(?:IN\s+DATABASE\s+\S+\s+)?SET\s)/i.test(statement)) {
    return 'must be a GRANT, or an ALTER ROLE {{role}} SET, for example GRANT SELECT ON app.orders TO {{role}}';
  }
  if (/;|--|\/\*|\\|\0/.test(statement)) return 'must be one statement without semicolon, comment or backslash';
  if (!statement.includes('{{role}}')) return 'must grant to {{role}}, which stands for the role of the lease';
  const unknown = [...statement.matchAll(PLACEHOLDER)].map(([, name]) => name).find((name) => !isPlaceholder(name));
  if (unknown !== undefined) return 'holds an unknown placeholder: there are {{role}} and {{database}}';
  if (/["']\{\{|\}\}["']/.test(statement))
    return 'must not put quotes around a placeholder: it is quoted when filled in';
  return null;
}

export function isPlaceholder(name: unknown): name is (typeof PLACEHOLDERS)[number] {
  return PLACEHOLDERS.some((known) => known === name);
}
