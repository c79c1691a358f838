const MAX_LENGTH = 80;

/** A name or a description, which comes from whoever gave it, fit for a sentence. */
export function shown(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
  return clean.length <= MAX_LENGTH ? clean : `${clean.slice(0, MAX_LENGTH)}…`;
}
