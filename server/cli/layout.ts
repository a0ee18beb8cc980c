/** Columns before the text of a labelled row. */
export const indent = 13;

/** Lines that stand under one label in the left margin. */
export function labelled(label: string, lines: string[], paint: (text: string) => string): string[] {
  return lines.map((line, index) =>
    `${index === 0 ? `  ${paint(label)}${' '.repeat(indent - 2 - label.length)}` : ' '.repeat(indent)}${line}`.trimEnd(),
  );
}

/** Breaks words so that no line is longer than `width`, where words allow it. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text of at most so many characters, the last of them `…` where some are left out. */
export const shortened = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Rows of cells as lines; every column as wide as its widest cell. `right` aligns by column. */
export function table(rows: string[][], right: boolean[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
}

/** The first `limit` items' lines, and a last one that says how many were left out. */
export function atMost<Item>(items: Item[], limit: number, lines: (item: Item, index: number) => string[]): string[] {
  const shown = items.slice(0, limit).flatMap(lines);
  const more = items.length - limit;
  return more > 0 ? [...shown, `… and ${more} more (--json has all)`] : shown;
}
