import { isNotFound } from '../aws/errors';
import { doAll } from './first-failure';
import { collectPages } from './pages';
import type { Page } from './pages';

/**
 * Lists what is there, all pages of it, and removes one after the other, whatever is refused of the others. What is gone already
 * is no error; a list of a user that IAM does not find is one.
 */
export async function removeEach<Item>(
  fetchPage: (marker: string | undefined) => Promise<Page<Item>>,
  remove: (item: Item) => Promise<unknown>,
  isKept: (item: Item) => boolean = () => false,
): Promise<void> {
  const items = await collectPages(fetchPage);
  await doAll(items.filter((item) => !isKept(item)).map((item) => () => ignoreAbsence(() => remove(item))));
}

/** For removing: what IAM does not find needs no removing. Tells whether it was found. */
export async function ignoreAbsence(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
