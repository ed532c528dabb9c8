import { LakegateError } from '../errors.ts';
import type { AuditedFile, AuditValue } from './rule.ts';

/** Some columns of a file side by side, in batches of consecutive rows; null is undefined. Each column is decoded alone. */
export async function* readColumns(
  file: AuditedFile,
  columns: readonly string[],
): AsyncGenerator<{ firstRow: number; columns: (AuditValue | undefined)[][] }> {
  const cursors = columns.map((column) => new Cursor(file, column));
  try {
    for (let row = 0; row < file.rows; ) {
      // Columns come in batches of their own sizes: rows are taken up to where the first batch ends.
      const ends = await Promise.all(cursors.map((cursor) => cursor.seek(row)));
      const end = Math.min(file.rows, ...ends);
      yield { firstRow: row, columns: cursors.map((cursor) => cursor.slice(row, end)) };
      row = end;
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** A place in one column's stream of batches. */
class Cursor {
  readonly #file: AuditedFile;
  readonly #column: string;
  readonly #batches: AsyncIterator<{ firstRow: number; values: (AuditValue | undefined)[] }>;
  #firstRow = 0;
  #values: (AuditValue | undefined)[] = [];

  constructor(file: AuditedFile, column: string) {
    this.#file = file;
    this.#column = column;
    this.#batches = file.values(column)[Symbol.asyncIterator]();
  }

  /** Reads on until the row is in the batch at hand; returns the row after that batch's last. */
  async seek(row: number): Promise<number> {
    while (this.#firstRow + this.#values.length <= row) {
      const next = await this.#batches.next();
      if (next.done) {
        throw new LakegateError(
          'corrupt',
          `${this.#file.url}: column ${this.#column} ends at row ${row} of ${this.#file.rows}; the file is incomplete, deliver it again`,
          { context: { url: this.#file.url, column: this.#column } },
        );
      }
      this.#firstRow = next.value.firstRow;
      this.#values = next.value.values;
    }
    return this.#firstRow + this.#values.length;
  }

  slice(row: number, end: number): (AuditValue | undefined)[] {
    return this.#values.slice(row - this.#firstRow, end - this.#firstRow);
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
