/** Which of Datadog's keys, for settings: one kind or the pair. */
export const KEY_CHOICES = ['both', 'api', 'application'] as const;
export type KeyChoice = (typeof KEY_CHOICES)[number];

export function wantsApiKey(choice: KeyChoice): boolean {
  return choice !== 'application';
}

export function wantsApplicationKey(choice: KeyChoice): boolean {
  return choice !== 'api';
}
