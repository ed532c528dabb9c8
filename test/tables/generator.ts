import { parquetWriteBuffer } from 'hyparquet-writer';
import type { ObjectStore } from '../../src/storage/store.ts';

/** Tables of the real split map and how many fields each has, the key among them. */
export const REAL_TABLES: Readonly<Record<string, number>> = {
  IBE_01: 97,
  IBE_01_A: 65,
  IBE_02: 93,
  IBE_02_A: 85,
  IBE_03: 96,
  IBE_03_A: 76,
  IBE_04: 87,
  IBE_04_A: 86,
  IBE_04_B: 15,
  IBE_05: 95,
  IBE_05_A: 81,
  IBE_06: 62,
  IBE_06_A: 51,
  IBE_08: 3,
  IBE_09: 87,
  MIACS_01: 93,
  MIACS_01_A: 12,
  MIACS_02: 98,
  MIACS_02_A: 100,
  MIACS_02_B: 4,
  MIACS_03: 79,
  MIACS_03_A: 95,
  MIACS_03_B: 29,
  MIACS_04: 23,
  NEW_BORROWERS: 18,
  N_A: 88,
  N_A_A: 50,
};

/** The key as the source spells it. */
export const SOURCE_KEY = 'Customer_User_id';

interface Field {
  table: string;
  column: string;
  type: 'STRING' | 'INT32' | 'DOUBLE';
}

/** Every field but the key, table by table: mostly codes of a few values with gaps, some numbers. */
export function fieldsOf(tables: Readonly<Record<string, number>> = REAL_TABLES): Field[] {
  return Object.entries(tables).flatMap(([table, count]) =>
    Array.from({ length: count - 1 }, (_, index): Field => {
      const type = (['STRING', 'STRING', 'INT32', 'DOUBLE'] as const)[index % 4]!;
      return { table, column: `${table}_Field_${String(index).padStart(3, '0')}`, type };
    }),
  );
}

/** The split map as CSV. Descriptions hold commas and quotes, as in life. */
export function splitMapCsv(tables: Readonly<Record<string, number>> = REAL_TABLES): string {
  const lines = Object.keys(tables).flatMap((table) => [
    `${table},${SOURCE_KEY},"Key, of the ""customer"""`,
    ...fieldsOf(tables)
      .filter((field) => field.table === table)
      .map(({ column }) => `${table},${column.toLowerCase()},"Attribute ""${column}"", coded"`),
  ]);
  return `OMC_FLYWHEEL_TABLE,OMC_FLYWHEEL_COLUMN,Functional description\n${lines.join('\n')}\n`;
}

/** The value of a field in a row, always the same. */
export function fieldValue(field: Field, fieldNumber: number, row: number): string | number | null {
  const mixed = (row * 31 + fieldNumber * 17) % 101;
  if (mixed < 13) return null;
  if (field.type === 'STRING') return `${field.column.slice(-3)}:${mixed % 7}`;
  return field.type === 'INT32' ? mixed * fieldNumber : mixed / 8;
}

/** The key of a row. */
export function keyOf(row: number): string {
  return `cust-${String(row).padStart(10, '0')}`;
}

/** Writes source files of the shape. @returns their URLs */
export async function writeSource(
  store: ObjectStore,
  folder: string,
  {
    tables = REAL_TABLES,
    files = 1,
    rows = 10,
    rowGroupRows = 1000,
    createdBy = 'test',
  }: {
    tables?: Readonly<Record<string, number>>;
    files?: number;
    /** Of each file. */
    rows?: number;
    rowGroupRows?: number;
    /** The writer that the files name. */
    createdBy?: string;
  } = {},
): Promise<string[]> {
  const fields = fieldsOf(tables);
  const urls: string[] = [];
  for (let file = 0; file < files; file += 1) {
    const numbers = Array.from({ length: rows }, (_, index) => file * rows + index);
    const columnData = [
      { name: SOURCE_KEY, data: numbers.map(keyOf), type: 'STRING' as const, nullable: true },
      ...fields.map((field, number) => ({
        name: field.column,
        data: numbers.map((row) => fieldValue(field, number, row)),
        type: field.type,
        nullable: true,
      })),
    ];
    const url = `${folder}part-${String(file).padStart(5, '0')}.snappy.parquet`;
    await store.create(url, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: rowGroupRows, createdBy })));
    urls.push(url);
  }
  return urls;
}

/** A writer whose files are valid, and not to be copied from: the sizes of its chunks are wrong (IMPALA-694). */
export const UNCOPYABLE_WRITER = 'parquet-mr version 1.2.8';

/** A file as one whose footer is encrypted: by its magic. */
export function sealed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, -4), Buffer.from('PARE')]);
}
