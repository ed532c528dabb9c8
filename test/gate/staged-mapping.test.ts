/** The name mapping that staging leaves: without one, other engines find no column in files that carry no field ids. */
import { fitTarget, stagedSchema } from '../../src/gate/schema-change.ts';
import type { TableMetadata } from '../../src/iceberg/model.ts';
import { NAME_MAPPING_PROPERTY } from '../../src/iceberg/name-mapping.ts';
import { sampleTable } from '../iceberg/sample-table.ts';

const staged = (metadata: TableMetadata) => stagedSchema(metadata, fitTarget(metadata)).updates;
const FULL = '[{"field-id":1,"names":["id"]},{"field-id":2,"names":["name"]}]';

test('a table of another engine, without a mapping, is given one', () => {
  expect(staged(sampleTable())).toEqual([{ action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: FULL } }]);
});

test('a mapping that lacks a column is completed, and keeps its older names', () => {
  const metadata = sampleTable({ [NAME_MAPPING_PROPERTY]: '[{"field-id":1,"names":["no","id"]}]' });
  const completed = '[{"field-id":1,"names":["no","id"]},{"field-id":2,"names":["name"]}]';
  expect(staged(metadata)).toEqual([{ action: 'set-properties', updates: { [NAME_MAPPING_PROPERTY]: completed } }]);
});

test('a complete mapping is left alone, however it is written', () => {
  const spaced = JSON.stringify(JSON.parse(FULL), undefined, 2);
  expect(staged(sampleTable({ [NAME_MAPPING_PROPERTY]: spaced }))).toEqual([]);
});
