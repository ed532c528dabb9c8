import { depthFirst } from '../../src/parquet/logical.ts';
import { countNulls } from '../../src/parquet/nulls.ts';
import { nullRows } from '../../src/parquet/positions.ts';
import { expected, fieldAt, fixture, source, withoutStatistics } from './fixture.ts';

const CODECS = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'];
const files = [...CODECS.flatMap((codec) => [`${codec}-v1`, `${codec}-v2`]), 'statistics', 'duckdb', 'polars'];

const counted = async (name: string, options: { cheapSeeks?: boolean; statistics?: boolean } = {}) => {
  const { open, footer, seen } = source(fixture(`${name}.parquet`), options.cheapSeeks ?? true);
  const read = await footer();
  const before = seen.opened;
  const counts = await countNulls(options.statistics ? read : withoutStatistics(read), open, '*');
  return { counts, footer: read, opened: seen.opened - before, unclosed: seen.opened - seen.closed - before };
};

describe('countNulls', () => {
  test.each(files)('of %s counts from levels what the writer meant', async (name) => {
    for (const cheapSeeks of [true, false]) {
      const { counts, footer, unclosed } = await counted(name, { cheapSeeks });
      expect(counts.map((count) => count.name)).toEqual(depthFirst(footer.fields).map((field) => field.path));
      for (const { name: path, nulls } of counts) expect([path, nulls]).toEqual([path, expected.nulls[path]]);
      expect(unclosed).toBe(0);
    }
  });

  test.each(files)('of %s agrees where statistics are used', async (name) => {
    const { counts } = await counted(name, { statistics: true });
    for (const { name: path, nulls } of counts) expect([path, nulls]).toEqual([path, expected.nulls[path]]);
  });

  test('opens nothing when histograms tell, also for lists', async () => {
    const { counts, opened } = await counted('statistics', { statistics: true });
    expect(opened).toBe(0);
    expect(new Set(counts.map((count) => count.from))).toEqual(new Set(['statistics']));
  });

  test('does not take a list leaf null_count of 0 for its parents having no nulls', async () => {
    const { open, footer } = source(fixture('statistics.parquet'));
    const read = withoutStatistics(await footer());
    for (const group of read.rowGroups) for (const column of group.columns) column.nullCount = 0;
    const [list] = await countNulls(read, open, [fieldAt(read, 'l')]);
    expect(list).toEqual({ name: 'l', nulls: expected.nulls.l, from: 'levels' });
  });

  test('reads only row groups that the footer leaves open', async () => {
    const { open, footer, seen } = source(fixture('none-v1.parquet'));
    const read = withoutStatistics(await footer());
    const first = read.rowGroups[0]!.columns[0]!;
    const wanted = expected.nested.i!.slice(0, 200).filter((value) => value === null).length;
    first.nullCount = wanted;
    seen.reads.length = 0;
    const [count] = await countNulls(read, open, [fieldAt(read, 'i')]);
    expect(count).toEqual({ name: 'i', nulls: expected.nulls.i, from: 'levels' });
    const end = first.dataPageOffset + 1;
    expect(seen.reads.every(([start]) => start > end)).toBe(true);
  });

  test('a required column is decided without statistics', async () => {
    const { open, footer } = source(fixture('none-v1.parquet'));
    const read = withoutStatistics(await footer());
    expect(await countNulls(read, open, [fieldAt(read, 'required')])).toEqual([
      { name: 'required', nulls: 0, from: 'statistics' },
    ]);
  });

  test('a chunk whose pages end early is corrupt', async () => {
    const { open, footer } = source(fixture('none-v1.parquet'));
    const read = withoutStatistics(await footer());
    const last = read.rowGroups.at(-1)!.columns.at(-1)!;
    last.numValues += 1000;
    const counting = countNulls(read, open, [fieldAt(read, 'st.b.c')]);
    await expect(counting).rejects.toMatchObject({ kind: 'corrupt' });
    await expect(counting).rejects.toThrow(/`st.b.c` in row group 1/);
  });
});

describe('nullRows', () => {
  const rowsOf = (path: string): number[] => {
    const [top, ...rest] = path.split('.');
    const missing = (value: unknown, below: string[]): boolean => {
      if (value === null) return below.length === 0;
      const [next, ...deeper] = below;
      if (next === undefined) return false;
      if (next === 'element') return (value as unknown[]).some((each) => missing(each, deeper));
      return missing((value as Record<string, unknown>)[next], deeper);
    };
    return expected.nested[top!]!.flatMap((value, row) => (missing(value, rest) ? [row] : []));
  };

  test.each([
    'i',
    'all_null',
    's',
    'l',
    'l.element',
    'll.element',
    'll.element.element',
    'm',
    'st.a',
    'st.b',
    'st.b.c',
  ])('finds the rows of %s', async (path) => {
    for (const name of ['snappy-v1', 'zstd-v2']) {
      const { open, footer } = source(fixture(`${name}.parquet`));
      const read = withoutStatistics(await footer());
      const field = fieldAt(read, path);
      expect(await nullRows(read, open, field, 1000)).toEqual(rowsOf(path));
      expect(await nullRows(read, open, field, 3)).toEqual(rowsOf(path).slice(0, 3));
    }
  });

  test('opens nothing for a column without nulls', async () => {
    const { open, footer, seen } = source(fixture('statistics.parquet'));
    const read = await footer();
    const before = seen.opened;
    expect(await nullRows(read, open, fieldAt(read, 'required'), 5)).toEqual([]);
    expect(seen.opened).toBe(before);
  });
});
