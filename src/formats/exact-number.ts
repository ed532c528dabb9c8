/** A JSON number with more digits than a double holds, as it was written: only a decimal column can keep it exactly. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}
