/** `lease_ended` of `LeaseEnded`: codes are written so in JSON. */
export function wireCode(code: string): string {
  return code.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
