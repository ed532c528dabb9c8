import fc from 'fast-check';
import { escapeHivePath, HIVE_NULL, unescapeHivePath } from '../../src/partitions/hive-path.ts';
import { hiveLayout, templateLayout } from '../../src/partitions/layout.ts';
import type { PartitionKey } from '../../src/partitions/model.ts';
import { valueFault } from '../../src/partitions/value-type.ts';

const text = (name: string): PartitionKey => ({ name, type: 'string' });
const parsed = (template: string, keys: PartitionKey[], prefix: string) => templateLayout(template, keys).parse(prefix);

describe('Hive paths', () => {
  test('every text but the empty one survives the way into a path and back, without a slash or an equals sign', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        const escaped = escapeHivePath(value);
        expect(escaped).not.toMatch(/[/=:"'*?#\\]/);
        expect(unescapeHivePath(escaped)).toBe(value);
      }),
    );
  });

  // As Hive's own FileUtils writes them.
  test.each([
    ['2026-11-21 06:00:00', '2026-11-21 06%3A00%3A00'],
    ['a/b=c', 'a%2Fb%3Dc'],
    ['50%', '50%25'],
    ['{x}', '%7Bx}'],
    ['é ü', 'é ü'],
    ['\n', '%0A'],
    ['', HIVE_NULL],
  ])('%j is written %j', (value, escaped) => {
    expect(escapeHivePath(value)).toBe(escaped);
  });

  test('a % that starts no code stands for itself', () => {
    expect(unescapeHivePath('100%/%zz%2')).toBe('100%/%zz%2');
  });
});

describe('hiveLayout', () => {
  const keys = [text('region'), { name: 'day', type: 'date' }];
  const layout = hiveLayout(keys);

  test('values in the order of the keys, unescaped, key names in any case', () => {
    expect(layout.parse('Region=eu%2Fwest/DAY=2026-11-21/')).toEqual({ values: ['eu/west', '2026-11-21'] });
    expect(layout.parse(`region=${HIVE_NULL}/day=${HIVE_NULL}/`)).toEqual({ values: [HIVE_NULL, HIVE_NULL] });
  });

  test.each([
    ['region=eu/day=2026-02-30/', /day: expected a date.*found "2026-02-30"/],
    ['region=eu/dt=2026-02-03/', /expected day=<day>, found "dt=2026-02-03"/],
    ['region=eu/', /expected 2 levels of folders, found 1/],
    ['region=/day=2026-02-03/', /expected region=<region>, found "region="/],
    ['2026/11/', /expected region=<region>/],
  ])('%s is refused', (prefix, fault) => {
    expect(layout.parse(prefix)).toEqual({ fault: expect.stringMatching(fault) });
  });

  test('what it writes it reads back', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(
        value,
        fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
        (region, date) => {
          const values = [region, date.toISOString().slice(0, 10)];
          expect(layout.parse(layout.format(values))).toEqual({ values });
        },
      ),
    );
  });
});

describe('templateLayout', () => {
  test.each<[string, PartitionKey[], string, string[]]>([
    [
      '{year}/{month}/{day}',
      ['year', 'month', 'day'].map((name) => ({ name, type: 'int' })),
      '2026/1/05/',
      ['2026', '1', '05'],
    ],
    ['{dt:YYYY}/{dt:MM}/{dt:DD}', [{ name: 'dt', type: 'date' }], '2026/11/21/', ['2026-11-21']],
    ['{dt:YYYY}/{dt:MM}/{dt:DD}', [text('dt')], '2026/11/21/', ['2026-11-21']],
    [
      '{dt:YYYY}/{dt:MM}/{dt:DD}/{dt:HH}',
      [{ name: 'dt', type: 'timestamp' }],
      '2026/11/21/06/',
      ['2026-11-21 06:00:00'],
    ],
    ['dt={dt:YYYYMMDD}', [{ name: 'dt', type: 'date' }], 'dt=20261121/', ['2026-11-21']],
    ['dt={dt:YYYYMMDD}', [text('dt')], 'dt=20261121/', ['20261121']],
    ['dt={dt:YYYYMMDD}', [{ name: 'dt', type: 'int' }], 'dt=20261121/', ['20261121']],
    ['{dt:DD.MM.YYYY}', [text('dt')], '21.11.2026/', ['21.11.2026']],
    ['{dt:DD.MM.YYYY}', [{ name: 'dt', type: 'date' }], '21.11.2026/', ['2026-11-21']],
    ['{dt:YYYYMMDDHH}', [text('dt')], '2026112106/', ['2026112106']],
    [
      'header__timestamp={ts:RANGE}',
      [text('ts')],
      'header__timestamp=20261121T000000_20261122T000000/',
      ['20261121T000000_20261122T000000'],
    ],
    ['{region}-{dt:YYYY-MM-DD}', [text('region'), text('dt')], 'eu-west-2026-11-21/', ['eu-west', '2026-11-21']],
    ['landing/{dt:YYYY}', [text('dt')], 'landing/2026/', ['2026']],
  ])('%s', (template, keys, prefix, values) => {
    expect(parsed(template, keys, prefix)).toEqual({ values });
    expect(parsed(template, keys, templateLayout(template, keys).format(values))).toEqual({ values });
  });

  test.each([
    ['{dt:YYYYMMDD}', '20261301/', /expected YYYYMMDD, found "20261301"/],
    ['{dt:YYYYMMDD}', '20260231/', /expected a day of the calendar, found 2026-02-31/],
    ['{dt:RANGE}', '20261122T000000_20261121T000000/', /the earlier time first/],
    ['{dt:RANGE}', '20261121T250000_20261122T000000/', /two times of the calendar/],
    ['{dt:YYYY}/{dt:MM}', '2026/_temporary/', /expected MM, found "_temporary"/],
  ])('%s does not read %s', (template, prefix, fault) => {
    expect(parsed(template, [text('dt')], prefix)).toEqual({ fault: expect.stringMatching(fault) });
  });

  test.each([
    ['{year}', ['dt'], /no partition key "year", expected dt/],
    ['{a}', ['a', 'b'], /expected the partition key {b} too/],
    ['{a}{b}', ['a', 'b'], /some text between two values/],
    ['{a:YYYY}/{a:YYYY}', ['a'], /has a part of its time twice/],
    ['{a:MM}', ['a'], /lacks YYYY/],
    ['{a:YYYY}/{a:DD}', ['a'], /lacks MM/],
    ['{a:foo}', ['a'], /expected YYYY, MM, DD/],
    ['{a}//x', ['a'], /a name between two slashes/],
    ['{a', ['a'], /expected {key} or {key:FORMAT}/],
    ['{a}/{a:YYYY}', ['a'], /once, or only parts of a time/],
  ])('%s is no layout', (template, keys, why) => {
    expect(() => templateLayout(template, keys.map(text))).toThrow(why);
  });

  test('times of every format come back as they were written', () => {
    const formats = ['YYYY-MM-DD', 'DD-MM-YYYY', 'YYYY.MM.DD', 'DDMMYYYY', 'YYYYMMDD', 'YYYYMMDDTHHmmss'];
    fc.assert(
      fc.property(
        fc.constantFrom(...formats),
        fc.constantFrom('date', 'timestamp'),
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (format, type, date) => {
          const whole = date.toISOString();
          const time = format.includes('HH') ? whole.slice(11, 19) : '00:00:00';
          const value = type === 'date' ? whole.slice(0, 10) : `${whole.slice(0, 10)} ${time}`;
          const layout = templateLayout(`x/{dt:${format}}`, [{ name: 'dt', type }]);
          if (type === 'date' && format.includes('HH')) return;
          expect(layout.parse(layout.format([value]))).toEqual({ values: [value] });
        },
      ),
    );
  });
});

describe('valueFault', () => {
  test.each([
    ['int', '2147483647', true],
    ['int', '2147483648', false],
    ['int', '1.0', false],
    ['tinyint', '-128', true],
    ['tinyint', '128', false],
    ['bigint', '9223372036854775807', true],
    ['bigint', '9223372036854775808', false],
    ['date', '2024-02-29', true],
    ['date', '2023-02-29', false],
    ['date', '2023-2-9', false],
    ['timestamp', '2023-02-28 23:59:59.123456', true],
    ['timestamp', '2023-02-28 24:00:00', false],
    ['timestamp', '2023-02-28', false],
    ['boolean', 'TRUE', true],
    ['boolean', 'yes', false],
    ['decimal(5,2)', '123.45', true],
    ['decimal(5,2)', '1234.5', false],
    ['decimal(5,2)', '1.234', false],
    ['decimal(5,2)', '.', false],
    ['varchar(2)', '😀😀', true],
    ['varchar(2)', 'abc', false],
    ['double', '1e3', true],
    ['double', 'x', false],
    ['string', '', true],
    ['array<int>', '1', false],
    ['int', HIVE_NULL, true],
  ])('%s %s: %p', (type, value, fits) => {
    expect(valueFault(type, value) === undefined).toBe(fits);
  });
});
