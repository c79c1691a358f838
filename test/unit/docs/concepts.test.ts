import { readPage } from '../../support/doc-blocks';
import type { LeaseState } from '../../../workflows/words';

const STATES: Readonly<Record<LeaseState, true>> = {
  provisioning: true,
  active: true,
  deprovisioning: true,
  stuck: true,
  expired: true,
  revoked: true,
  failed: true,
  abandoned: true,
};

test('the picture of a lease has every state that there is, and no other', () => {
  const picture = readPage('docs/images/lease-states.svg');
  const shown = [...picture.matchAll(/class="name"[^>]*>([a-z]+)</g)].map(([, name]) => name!);
  expect(shown.toSorted()).toEqual(Object.keys(STATES).toSorted());
});

test('the concepts say what each state and each promise means', () => {
  const page = readPage('docs/concepts.md');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  for (const state of Object.keys(STATES)) {
    expect({ state, told: rows.some((row) => row.split('|')[1]!.includes(`\`${state}\``)) }).toEqual({
      state,
      told: true,
    });
  }
  const promises = [...readPage('docs/design.md').matchAll(/^- \*\*(P\d) ([^.*]+)\.\*\*/gm)];
  expect(promises).toHaveLength(8);
  for (const [, number, name] of promises) {
    expect(page).toMatch(new RegExp(`^\\| \\*\\*${number!}\\*\\* *\\| ${name!} *\\|`, 'm'));
  }
});
