import type { Transform } from '../iceberg/model.ts';
import { didYouMean } from './did-you-mean.ts';

export interface PartitionFieldConfig {
  /** Dotted path of the source column. */
  column: string;
  transform: Transform;
}

const DATE_PARTS = ['year', 'month', 'day', 'hour'];
/** Spark and Trino also know them in the plural. */
const TRANSFORMS = ['identity', ...DATE_PARTS, ...DATE_PARTS.map((part) => `${part}s`), 'bucket', 'truncate'];
const LARGEST_WIDTH = 2 ** 31 - 1;

/**
 * A partition field as in SQL's `PARTITIONED BY`: `region`, `day(ordered_at)`, `bucket(16, id)`, `truncate(4, code)`
 * (spec: "Partition Transforms").
 * @returns a sentence on what is wrong instead, starting with `expected`
 */
export function parsePartitionField(text: string): PartitionFieldConfig | { fault: string } {
  const call = /^\s*([A-Za-z]+)\s*\((.*)\)\s*$/s.exec(text);
  if (call === null) {
    const column = text.trim();
    if (column === '' || /[(),]/.test(column)) {
      return {
        fault: 'expected a column, or a transform such as day(ordered_at), bucket(16, id) or truncate(4, code)',
      };
    }
    return { column, transform: 'identity' };
  }
  const name = call[1]!.toLowerCase();
  const words = call[2]!.split(',').map((word) => word.trim());
  if (!TRANSFORMS.includes(name)) {
    const hint = didYouMean(name, TRANSFORMS);
    return {
      fault: `expected one of the transforms identity, ${DATE_PARTS.join(', ')}, bucket, truncate${hint === '' ? '' : `.${hint}`}`,
    };
  }
  if (name === 'bucket' || name === 'truncate') {
    const [width, column] = words;
    if (
      words.length !== 2 ||
      column === '' ||
      !/^\d+$/.test(width!) ||
      Number(width) < 1 ||
      Number(width) > LARGEST_WIDTH
    ) {
      return { fault: `expected a positive number, then the column, such as ${name}(16, id)` };
    }
    return { column: column!, transform: `${name}[${Number(width)}]` };
  }
  if (words.length !== 1 || words[0] === '') return { fault: `expected one column, such as ${name}(ordered_at)` };
  return { column: words[0]!, transform: (name.endsWith('s') ? name.slice(0, -1) : name) as Transform };
}
