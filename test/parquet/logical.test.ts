import { logicalFields } from '../../src/parquet/logical.ts';
import type { LogicalField } from '../../src/parquet/model.ts';
import { schemaTree } from '../../src/parquet/schema.ts';
import type { ThriftStruct } from '../../src/parquet/thrift.ts';

const name = (text: string) => new TextEncoder().encode(text);
const REPETITION = { required: 0, optional: 1, repeated: 2 };
type Repetition = keyof typeof REPETITION;

const leaf = (repetition: Repetition, called: string, more: ThriftStruct = {}): ThriftStruct[] => [
  { 1: 1, 3: REPETITION[repetition], 4: name(called), ...more },
];
const group = (repetition: Repetition, called: string, children: ThriftStruct[][], more: ThriftStruct = {}) => [
  { 3: REPETITION[repetition], 4: name(called), 5: children.length, ...more },
  ...children.flat(),
];
const LIST = { 6: 3 };
const MAP = { 6: 1 };
const MAP_KEY_VALUE = { 6: 2 };

/** `name:kind[?]@definition/repetition(children)`. */
const shown = (field: LogicalField): string =>
  `${field.name}:${field.kind}${field.optional ? '?' : ''}@${field.definitionLevel}/${field.repetitionLevel}` +
  (field.children.length > 0 ? `(${field.children.map(shown).join(' ')})` : '');
const parsed = (...columns: ThriftStruct[][]) =>
  logicalFields(schemaTree([{ 4: name('root'), 5: columns.length }, ...columns.flat()]).columns);

describe('logicalFields', () => {
  test.each([
    [
      'three-level lists',
      group('optional', 'l', [group('repeated', 'list', [leaf('optional', 'element')])], LIST),
      'l:list?@1/0(element:primitive?@3/1)',
    ],
    [
      'two-level lists of primitives',
      group('optional', 'l', [leaf('repeated', 'element')], LIST),
      'l:list?@1/0(element:primitive@2/1)',
    ],
    [
      'repeated groups of several fields',
      group('optional', 'l', [group('repeated', 'element', [leaf('required', 'a'), leaf('optional', 'b')])], LIST),
      'l:list?@1/0(element:struct@2/1(a:primitive@2/1 b:primitive?@3/1))',
    ],
    [
      'a group called array',
      group('required', 'l', [group('repeated', 'array', [leaf('required', 'a')])], LIST),
      'l:list@0/0(element:struct@1/1(a:primitive@1/1))',
    ],
    [
      'a group called like the list and _tuple',
      group('required', 'l', [group('repeated', 'l_tuple', [leaf('required', 'a')])], LIST),
      'l:list@0/0(element:struct@1/1(a:primitive@1/1))',
    ],
    [
      'two-level lists of lists',
      group('optional', 'l', [group('repeated', 'array', [leaf('repeated', 'array')], LIST)], LIST),
      'l:list?@1/0(element:list@2/1(element:primitive@3/2))',
    ],
    ['bare repeated fields', leaf('repeated', 'r'), 'r:list@0/0(element:primitive@1/1)'],
    [
      'bare repeated groups',
      group('repeated', 'r', [leaf('optional', 'a')]),
      'r:list@0/0(element:struct@1/1(a:primitive?@2/1))',
    ],
    [
      'maps',
      group(
        'optional',
        'm',
        [group('repeated', 'key_value', [leaf('required', 'key'), leaf('optional', 'value')])],
        MAP,
      ),
      'm:map?@1/0(key:primitive@2/1 value:primitive?@3/1)',
    ],
    [
      'old maps with other names',
      group(
        'optional',
        'm',
        [group('repeated', 'map', [leaf('required', 'str'), leaf('required', 'num')])],
        MAP_KEY_VALUE,
      ),
      'm:map?@1/0(key:primitive@2/1 value:primitive@2/1)',
    ],
    [
      'maps without values',
      group('optional', 'm', [group('repeated', 'key_value', [leaf('required', 'key')])], MAP),
      'm:list?@1/0(element:primitive@2/1)',
    ],
    [
      'a LIST of another shape as a struct',
      group('optional', 'l', [leaf('optional', 'a'), leaf('optional', 'b')], LIST),
      'l:struct?@1/0(a:primitive?@2/0 b:primitive?@2/0)',
    ],
  ])('%s', (_what, column, wanted) => {
    expect(parsed(column).map(shown).join(' ')).toBe(wanted);
  });

  test('paths and field ids leave the wrappers out', () => {
    const element = leaf('optional', 'item', { 9: 7 });
    const [list] = parsed(group('optional', 'l', [group('repeated', 'list', [element])], { ...LIST, 9: 5 }));
    expect([list?.path, list?.fieldId]).toEqual(['l', 5]);
    expect([list?.children[0]?.path, list?.children[0]?.fieldId]).toEqual(['l.element', 7]);
    expect(list?.children[0]?.leaf?.path).toEqual(['l', 'list', 'item']);
  });
});

describe('schemaTree', () => {
  const tree = (...elements: ThriftStruct[]) => schemaTree([{ 4: name('root'), 5: 1 }, ...elements]);

  test.each([
    ['too few elements', { 3: 1, 4: name('g'), 5: 3 }, /claims 3 children/],
    ['a group of nothing', { 3: 1, 4: name('g') }, /neither type nor children/],
    ['no name', { 1: 1, 3: 1 }, /no name/],
    ['no repetition', { 1: 1, 4: name('c') }, /no repetition/],
    ['an annotation of another type', { 1: 5, 3: 1, 4: name('c'), 6: 6 }, /annotated date but stored as DOUBLE/],
  ])('refuses %s', (_what, element, message) => {
    expect(() => tree(element)).toThrow(message);
  });

  test('refuses elements left over', () => {
    expect(() => tree(...leaf('optional', 'a'), ...leaf('optional', 'b'))).toThrow(/3 elements, but its tree uses 2/);
  });
});
