import { escapeIdentifier } from 'pg';
import { isPlaceholder, PLACEHOLDER } from './grant-template';
import type { PLACEHOLDERS } from './grant-template';

/** The statement for one lease. Names are quoted here, so a template writes `{{role}}` without quotes. */
export function fillGrant(template: string, names: Readonly<Record<(typeof PLACEHOLDERS)[number], string>>): string {
  return template.replace(PLACEHOLDER, (whole, name) => (isPlaceholder(name) ? escapeIdentifier(names[name]) : whole));
}
