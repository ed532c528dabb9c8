import type { RowBatch } from '../../src/parquet/rows.ts';
import { readRows } from '../../src/parquet/rows.ts';
import { dictionaryValues, readValues, statisticsBounds } from '../../src/parquet/values.ts';
import { expected, fieldAt, fixture, source } from './fixture.ts';

const collected = async (name: string, options?: Parameters<typeof readRows>[2]) => {
  const { open, footer } = source(fixture(`${name}.parquet`));
  const batches: RowBatch[] = [];
  for await (const batch of readRows(await footer(), open, options)) batches.push(batch);
  const columns: Record<string, unknown[]> = {};
  for (const batch of batches) {
    for (const [column, values] of Object.entries(batch.columns)) {
      columns[column] = [...(columns[column] ?? []), ...values.map(plain)];
    }
  }
  return { batches, columns };
};

/** As generate.py writes values: integers as text, floats as big-endian hex, bytes as hex. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return value;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  }
  return value;
}

function same(found: unknown, wanted: unknown): boolean {
  if (typeof found === 'number' && typeof wanted === 'string') {
    if (wanted === 'NaN') return Number.isNaN(found);
    return wanted.length === 16 ? Object.is(Buffer.from(wanted, 'hex').readDoubleBE(), found) : wanted === `${found}`;
  }
  if (Array.isArray(found) && Array.isArray(wanted)) {
    return found.length === wanted.length && found.every((each, i) => same(each, wanted[i]));
  }
  if (typeof found === 'object' && found !== null && typeof wanted === 'object' && wanted !== null) {
    const other = wanted as Record<string, unknown>;
    return Object.entries(found).every(([key, each]) => same(each, other[key]));
  }
  return found === wanted;
}

function expectSame(columns: Record<string, unknown[]>, wanted: Record<string, unknown[]>): void {
  for (const [name, values] of Object.entries(columns)) {
    expect([name, values.length]).toEqual([name, wanted[name]!.length]);
    expect([name, values.findIndex((value, row) => !same(value, wanted[name]![row]))]).toEqual([name, -1]);
  }
}

const codecs = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].flatMap((codec) => [`${codec}-v1`, `${codec}-v2`]);

describe('readRows', () => {
  test.each([...codecs, 'statistics', 'duckdb', 'polars'])('of %s gives nested rows back', async (name) => {
    for (const batchRows of [8192, 7]) {
      const { columns, batches } = await collected(name, { batchRows });
      expectSame(columns, expected.nested);
      let next = 0;
      for (const batch of batches) {
        expect(batch.firstRow).toBe(next);
        expect(batch.rows).toBeLessThanOrEqual(batchRows);
        next += batch.rows;
      }
      expect(next).toBe(300);
    }
  });

  test.each(['types', 'encodings'])('of %s loses nothing', async (name) => {
    expectSame((await collected(name)).columns, expected.types);
  });

  test('INT96 comes as nanoseconds', async () => {
    const { columns } = await collected('int96', { columns: ['ns', 'us'] });
    expect(columns).toEqual({ ns: expected.types.ns, us: ['-1000', '1000000000000000000', null, '1000'] });
  });

  test('reads the row groups and columns asked for', async () => {
    const { columns, batches } = await collected('snappy-v1', { rowGroups: [1], columns: ['i'] });
    expect(batches.map(({ firstRow, rows }) => [firstRow, rows])).toEqual([[200, 100]]);
    expectSame(columns, { i: expected.nested.i!.slice(200) });
  });

  test('closes the reader when the consumer stops', async () => {
    const { open, footer, seen } = source(fixture('snappy-v1.parquet'));
    const read = await footer();
    for await (const _batch of readRows(read, open, { batchRows: 10 })) break;
    expect(seen.opened - seen.closed).toBe(1); // the footer's, which the test left open
  });
});

describe('readValues', () => {
  const valuesOf = async (name: string, path: string) => {
    const { open, footer } = source(fixture(`${name}.parquet`));
    const read = await footer();
    const all: unknown[] = [];
    for await (const { firstRow, values } of readValues(read, open, fieldAt(read, path))) {
      expect(firstRow).toBe(all.length);
      all.push(...values);
    }
    return all;
  };

  test('gives the forms that rules compare', async () => {
    expect(await valuesOf('types', 'd9')).toEqual([
      { decimal: '-1.50' },
      { decimal: '1234567.89' },
      undefined,
      { decimal: '0.01' },
    ]);
    expect(await valuesOf('types', 'date')).toEqual([
      { micros: -86_400_000_000n },
      { micros: 0n },
      undefined,
      { micros: 1_728_000_000_000_000n },
    ]);
    expect(await valuesOf('types', 'ms')).toEqual([
      { micros: -1000n },
      { micros: 0n },
      undefined,
      { micros: 10n ** 15n },
    ]);
    expect(await valuesOf('types', 'ns')).toEqual([
      { micros: -1n },
      { micros: 4611686018427387n },
      undefined,
      { micros: 0n },
    ]);
    expect(await valuesOf('int96', 'us')).toEqual([{ micros: -1n }, { micros: 10n ** 15n }, undefined, { micros: 1n }]);
    expect(await valuesOf('types', 'u64')).toEqual([0n, 2n ** 64n - 1n, undefined, 2n ** 63n]);
    expect(await valuesOf('types', 'text')).toEqual(['', 'ü€😀', undefined, '\ufffd']);
  });

  test('a struct member is undefined where the struct is null', async () => {
    const wanted = expected.nested.st!.map((each) => {
      const a = (each as { a: string | null } | null)?.a;
      return a === null || a === undefined ? undefined : BigInt(a);
    });
    expect(await valuesOf('gzip-v2', 'st.a')).toEqual(wanted);
  });

  test('refuses lists and what is in them', async () => {
    await expect(valuesOf('types', 'u64')).resolves.toHaveLength(4);
    await expect(valuesOf('snappy-v1', 'l')).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(valuesOf('snappy-v1', 'l.element')).rejects.toMatchObject({ kind: 'unsupported' });
  });
});

describe('dictionaryValues', () => {
  const dictionaryOf = async (name: string, path: string) => {
    const { open, footer } = source(fixture(`${name}.parquet`));
    const read = await footer();
    return dictionaryValues(read, open, fieldAt(read, path).leaf!);
  };

  test('unites the dictionaries of all row groups', async () => {
    const found = (await dictionaryOf('statistics', 's')) as string[];
    expect(found.sort()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6']);
    expect(await dictionaryOf('statistics', 'all_null')).toEqual([]);
  });

  test('is undefined where a page may hold values of its own', async () => {
    expect(await dictionaryOf('encodings', 'text')).toBeUndefined();
    expect(await dictionaryOf('types', 'flag')).toBeUndefined();
  });
});

describe('statisticsBounds', () => {
  const boundsOf = async (name: string, path: string) => {
    const read = await source(fixture(`${name}.parquet`)).footer();
    return statisticsBounds(read, fieldAt(read, path).leaf!);
  };

  test('follow the type’s own order', async () => {
    expect(await boundsOf('types', 'u64')).toEqual({ lower: 0n, upper: 2n ** 64n - 1n, exact: true });
    expect(await boundsOf('types', 'd9')).toMatchObject({
      lower: { decimal: '-1.50' },
      upper: { decimal: '1234567.89' },
    });
    expect(await boundsOf('types', 'us')).toMatchObject({ lower: { micros: -1n }, upper: { micros: 10n ** 15n } });
    expect(await boundsOf('statistics', 's')).toEqual({ lower: 'v0', upper: 'v6', exact: true });
  });

  test('are undefined for floats (NaN is left out of them), INT96, and where none were written', async () => {
    expect(await boundsOf('types', 'f64')).toBeUndefined();
    expect(await boundsOf('int96', 'ns')).toBeUndefined();
    expect(await boundsOf('snappy-v1', 'i')).toBeUndefined();
    expect(await boundsOf('statistics', 'all_null')).toBeUndefined();
  });
});
