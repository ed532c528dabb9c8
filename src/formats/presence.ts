import { grown } from './growing.ts';

/** Which of a growing column's rows have a value; takes no memory while all have. */
export class Presence {
  private flags: Uint8Array<ArrayBuffer> | undefined;
  /** Rows that `flags` holds; those after have a value. */
  private held = 0;

  has(row: number): boolean {
    return this.flags === undefined || row >= this.held || this.flags[row] !== 0;
  }

  append(rows: number, more: number, present: Uint8Array | undefined): void {
    if (present === undefined) return;
    this.flags = grown(this.flags ?? new Uint8Array(0), rows + more, Uint8Array);
    this.flags.fill(1, this.held, rows);
    this.flags.set(present, rows);
    this.held = rows + more;
  }

  /** For each of the rows whether it has a value; undefined where all have. */
  gather(rows: Uint32Array): Uint8Array | undefined {
    const { flags, held } = this;
    if (flags === undefined) return undefined;
    const present = new Uint8Array(rows.length);
    let nulls = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const has = row >= held ? 1 : flags[row]!;
      present[i] = has;
      nulls += 1 - has;
    }
    return nulls === 0 ? undefined : present;
  }

  /** Lets go of all rows but the given ones, ascending. */
  keep(rows: Uint32Array): void {
    const present = this.gather(rows);
    this.held = 0;
    if (present === undefined) this.flags = undefined;
    else this.append(0, rows.length, present);
  }
}
