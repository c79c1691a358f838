import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { projectRoot } from '../../../dev/root';
import { docPages, pagesBelow, readPage } from '../../support/doc-blocks';

const PAGES = [...docPages(), 'SECURITY.md', ...pagesBelow('examples'), ...pagesBelow('deploy')];
const INDEX = 'docs/README.md';

/** Without blocks, in which nothing is a link. */
function proseOf(page: string): string {
  return readPage(page).replaceAll(/^ *```.*?^ *```/gms, '');
}

function linksOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
}

/** The file that a link of a page means. */
function targetOf(page: string, link: string): string {
  const [file = ''] = link.split('#');
  return file === '' ? page : normalize(join(dirname(page), file));
}

/** As GitHub makes an anchor of a heading. */
function anchorsOf(page: string): ReadonlySet<string> {
  return new Set(
    [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test.each(PAGES)('every link of %s leads somewhere', (page) => {
  for (const link of linksOf(page)) {
    if (/^(https?|mailto):/.test(link)) continue;
    const target = targetOf(page, link);
    expect({ link, exists: existsSync(join(projectRoot(), target)) }).toEqual({ link, exists: true });
    const [, anchor] = link.split('#');
    if (anchor !== undefined) expect({ link, found: anchorsOf(target).has(anchor) }).toEqual({ link, found: true });
  }
});

test('the index leads to every page, and the README to the index', () => {
  const found = new Set(linksOf(INDEX).map((link) => targetOf(INDEX, link)));
  const others = pagesBelow('docs').filter((page) => page !== INDEX);
  expect(others.filter((page) => !found.has(page))).toEqual([]);
  expect(linksOf('README.md').map((link) => targetOf('README.md', link))).toContain(INDEX);
});
