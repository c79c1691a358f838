import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { projectRoot } from '../../dev/root';
import { eventually } from './base-lab';
import { openBrowser } from './browser';

/** Temporal's Web UI in a browser, as somebody on call uses it: by what stands on the page, with clicks. */
export interface WebUi {
  readonly page: Page;
  /** The one that is open. */
  readonly dialog: Locator;
  /** Opens the list of workflows with a query, and saves it as a view if that is given a name, as its link in docs/web-ui.md does. */
  list(query: string, saveAs?: string): Promise<void>;
  /** The row of a workflow in the list. */
  row(workflowId: string): Locator;
  /** Adds columns to the list and takes others away. */
  arrangeColumns(add: readonly string[], remove: readonly string[]): Promise<void>;
  openTab(name: string): Promise<void>;
  /** Waits until all is there that a page asks for. That of a live lease goes on asking. */
  untilLoaded(): Promise<void>;
  /** What the workflow says of itself at this moment, on the tab "User Metadata": the rows of its table, and what stands below. */
  details(): Promise<Details>;
  /** Reads {@link details} anew until a row says this. */
  untilDetail(row: string, value: string): Promise<Details>;
  /** Opens the dialog "Send a Signal" and fills it in. JSON is best indented as the dialog does it: while that moves its buttons, a click misses. */
  fillSignal(name: string, input?: string): Promise<void>;
  submit(): Promise<void>;
  requestCancellation(): Promise<void>;
  /** Text of all pages that were looked at, and of what the server sent for them. */
  seen(): ReadonlyMap<string, string>;
  /** Keeps what is seen as docs/images/<name>.png, if LEASEHOLD_SCREENSHOTS is 1. `page`: without what surrounds each of its pages. */
  picture(name: string, of?: 'window' | 'page' | 'dialog'): Promise<void>;
  close(): Promise<void>;
}

export interface Details {
  readonly rows: ReadonlyMap<string, string>;
  readonly advice: string;
}

/** Whether this run makes the pictures of docs/web-ui.md. */
export const takesPictures = process.env['LEASEHOLD_SCREENSHOTS'] === '1';

const WINDOW = { width: 1440, height: 800 };

export async function openWebUi(uiUrl: string, namespace: string): Promise<WebUi> {
  const browser = await openBrowser();
  const context = await browser.newContext({
    viewport: WINDOW,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const seen = new Map<string, string>();
  page.on('response', (response) => {
    if (!response.url().includes('/api/')) return;
    // One whose page is gone has no body any more.
    response.text().then(
      (text) => seen.set(response.url(), decoded(text)),
      () => undefined,
    );
  });
  const look = async (): Promise<void> => {
    for (const frame of page.frames()) {
      // What is not there any more is looked at another time.
      const text = await frame.content().catch(() => '');
      seen.set(`${page.url()} ${frame.url()}`, text);
    }
  };
  const dialog = page.locator('dialog[open]');

  /** Each part of the tab is a page in the page; this is the last. */
  const details = async (): Promise<Details> => {
    const frame = page.locator('iframe').last().contentFrame();
    const texts = await frame.locator('tr').allInnerTexts();
    const cells = texts.map((text) => text.split('\t').map((cell) => cell.trim()));
    const advice = await frame.locator('p').allInnerTexts();
    return { rows: new Map(cells.map(([name = '', value = '']) => [name, value])), advice: advice.join('\n') };
  };

  return {
    page,
    dialog,
    details,
    list: async (query, saveAs) => {
      const view = saveAs === undefined ? '' : `&savedQuery=${encodeURIComponent(saveAs)}`;
      await page.goto(`${uiUrl}/namespaces/${namespace}/workflows?query=${encodeURIComponent(query)}${view}`);
      await page.getByTestId('workflows-summary-configurable-table-row').first().waitFor();
      await look();
    },
    row: (workflowId) => page.locator('tr', { has: page.getByRole('link', { name: workflowId }) }),
    arrangeColumns: async (add, remove) => {
      await page.getByTestId('workflows-summary-table-configuration-button').click();
      const click = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click();
      for (const column of remove) await click(`Remove ${column} column`);
      for (const column of add) await click(`Add ${column} column`);
      await page.getByRole('button', { name: /^Close .* configuration$/ }).click();
    },
    openTab: async (name) => {
      await page.getByRole('tab', { name }).click();
      await page.getByRole('tab', { name, selected: true }).waitFor();
      await look();
    },
    untilLoaded: async () => {
      await page.waitForLoadState('networkidle');
      await look();
    },
    untilDetail: async (row, value) => {
      let now: Details | undefined;
      await eventually(async () => {
        await page.keyboard.press('r');
        // While it is read anew there is nothing to read.
        now = await details().catch(() => undefined);
        return now?.rows.get(row) === value;
      }, `the page to say: ${row} ${value}`);
      await look();
      return now!;
    },
    fillSignal: async (name, input) => {
      await page.getByRole('button', { name: 'More Actions' }).filter({ visible: true }).click();
      await page.getByTestId('signal-button').filter({ visible: true }).click();
      await dialog.getByTestId('signal-select-button').click();
      await dialog.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
      if (input !== undefined) await dialog.getByRole('textbox', { name: 'Data' }).fill(input);
      await look();
    },
    submit: async () => {
      await dialog.getByRole('button', { name: 'Submit' }).click();
      await dialog.waitFor({ state: 'hidden' });
    },
    requestCancellation: async () => {
      await page.getByRole('button', { name: 'Request Cancellation' }).filter({ visible: true }).click();
      await look();
      await dialog.getByRole('button', { name: 'Confirm' }).click();
      await dialog.waitFor({ state: 'hidden' });
    },
    seen: () => seen,
    picture: async (name, of = 'window') => {
      if (!takesPictures) return;
      const directory = join(projectRoot(), 'docs', 'images');
      await mkdir(directory, { recursive: true });
      await page.evaluate('document.activeElement?.blur()');
      const path = join(directory, `${name}.png`);
      const clip = { x: 256, y: 48, width: WINDOW.width - 256, height: WINDOW.height - 48 };
      if (of === 'dialog') await dialog.screenshot({ path, animations: 'disabled', caret: 'hide' });
      else await page.screenshot({ path, animations: 'disabled', ...(of === 'page' ? { clip } : {}) });
    },
    close: () => browser.close(),
  };
}

/** With what stands in it in base 64, as payloads do. */
function decoded(text: string): string {
  const payloads = [...text.matchAll(/"data":\s*"([A-Za-z0-9+/]+=*)"/g)];
  return [text, ...payloads.map(([, data]) => Buffer.from(data!, 'base64').toString('latin1'))].join('\n');
}
