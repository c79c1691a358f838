/** Figures as a person reads them. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The table in Markdown, below its title. All columns but the first are set flush right, as figures are.
 * @throws Error if a row has more or fewer cells than the head.
 */
export function toMarkdown({ title, head, rows }: Table): string {
  const wrong = rows.find((row) => row.length !== head.length);
  if (wrong !== undefined) {
    throw new Error(
      `The table ${JSON.stringify(title)} has ${head.length} columns and a row of ${wrong.length} cells: ${wrong.join(' | ')}`,
    );
  }
  const cells = [head, ...rows].map((row) => row.map(escape));
  const widths = head.map((_, column) => Math.max(4, ...cells.map((row) => row[column]?.length ?? 0)));
  const [first = '', ...others] = cells.map((row) => line(row, widths));
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [`### ${title}`, '', first, `| ${rule.join(' | ')} |`, ...others, ''].join('\n');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const padded = widths.map((width, column) => {
    const cell = row[column] ?? '';
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `| ${padded.join(' | ')} |`;
}

/** A cell is one line, and a bar would end it. */
function escape(cell: string): string {
  return cell.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}
