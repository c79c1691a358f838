import { fstatSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { UsageError } from '../exit';

/** @throws UsageError where nobody can get what is printed: standard output is closed, which looks the same, or thrown away. */
export function requireReader(): void {
  if (!leadsNowhere()) return;
  throw new UsageError(
    'Standard output is closed or thrown away: nobody would get the credential. Nothing was leased.',
  );
}

function leadsNowhere(): boolean {
  try {
    const output = fstatSync(1);
    const nowhere = statSync(devNull);
    return output.isCharacterDevice() && output.rdev === nowhere.rdev;
  } catch {
    return false;
  }
}
