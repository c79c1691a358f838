/**
 * A suite that needs more than every machine has, e.g. a server of a certain version. Without it the suite is counted as skipped
 * and its name says why; in CI, which is to have everything, it fails instead.
 * @param missing why it cannot be run here; null: it can.
 */
export function describeIf(missing: string | null, name: string, define: () => void): void {
  if (missing === null) {
    describe(name, define);
  } else if (isCi()) {
    describe(name, () => {
      test('can be run', () => {
        throw new Error(`${missing} CI must not skip it.`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${missing})`, define);
  }
}

function isCi(): boolean {
  return !['', '0', 'false', undefined].includes(process.env['CI']);
}
