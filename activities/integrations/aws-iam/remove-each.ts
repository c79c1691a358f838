import { isNotFound } from '../aws/errors';
import { collectPages } from './pages';
import type { Page } from './pages';

/** Lists what is there, all pages of it, and removes one after the other. What is gone already is no error. */
export async function removeEach<Item>(
  fetchPage: (marker: string | undefined) => Promise<Page<Item>>,
  remove: (item: Item) => Promise<unknown>,
  order: (items: readonly Item[]) => readonly Item[] = (items) => items,
): Promise<void> {
  let items: readonly Item[] = [];
  await ignoreAbsence(async () => {
    items = await collectPages(fetchPage);
  });
  for (const item of order(items)) await ignoreAbsence(() => remove(item));
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
