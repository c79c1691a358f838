/** One page of an IAM list. */
export interface Page<Item> {
  readonly items: readonly Item[] | undefined;
  readonly truncated: boolean | undefined;
  readonly marker: string | undefined;
}

/** All items of a list, page after page. */
export async function collectPages<Item>(
  fetchPage: (marker: string | undefined) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let marker: string | undefined;
  do {
    const page = await fetchPage(marker);
    items.push(...(page.items ?? []));
    marker = page.truncated === true ? page.marker : undefined;
  } while (marker !== undefined);
  return items;
}
