import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { readVariable } from '../../config/environment';

const VARIABLE = 'CHROMIUM_PATH';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser's program: CHROMIUM_PATH, else the first of the usual names on the PATH; null: there is none that can be run. */
export function findBrowser(): string | null {
  const named = readVariable(VARIABLE) ?? '';
  const directories = (readVariable('PATH') ?? '').split(delimiter).filter((directory) => directory !== '');
  const candidates =
    named === '' ? NAMES.flatMap((name) => directories.map((directory) => join(directory, name))) : [named];
  return candidates.find(canRun) ?? null;
}

/** Why no browser can be opened here, for {@link describeIf}; null: one can. */
export function missingBrowser(): string | null {
  if (findBrowser() !== null) return null;
  return `No ${NAMES.join(', ')} was found: install Chromium, or set ${VARIABLE} to its program.`;
}

/**
 * Opens pages of this machine alone: neither the browser nor a page reaches anybody else, e.g. to ask for a newer version. So it needs no
 * sandbox, which Chromium does not have for root.
 */
export function openBrowser(): Promise<Browser> {
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  return chromium.launch({ executablePath: findBrowser() ?? '', chromiumSandbox: false, args });
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
