import { shortened } from './columns.ts';
import type { Column } from './facts.ts';

/** Hive types that a stored column can be read as without a loss (Athena User Guide, "Data types" and "Handle schema updates"), by Iceberg's name of what is stored. */
const READ_AS: Readonly<Record<string, readonly string[]>> = {
  boolean: ['boolean'],
  int: ['int', 'integer', 'smallint', 'tinyint', 'bigint'],
  long: ['bigint'],
  float: ['float', 'double'],
  double: ['double'],
  date: ['date'],
  timestamp: ['timestamp'],
  timestamptz: ['timestamp'],
  string: ['string', 'varchar', 'char'],
  binary: ['binary', 'string', 'varchar'],
  uuid: ['string', 'binary'],
};

/**
 * Columns of a catalogue's table that a file does not have, or not as what the catalogue says. Columns that only the file has are none: tables
 * are registered with fewer on purpose.
 */
export function declaredDifferences(declared: readonly Column[], stored: readonly Column[]): string[] {
  const own = new Map(stored.map(({ name, type }) => [name.toLowerCase(), type]));
  return shortened(
    declared.flatMap(({ name, type }) => {
      const found = own.get(name.toLowerCase());
      if (found === undefined) return [`column ${name} is missing`];
      return fits(found, type.toLowerCase().replace(/\s+/g, ''))
        ? []
        : [`column ${name} is ${found} instead of ${type}`];
    }),
  );
}

function fits(stored: string, declared: string): boolean {
  const kind = /^[a-z_]+/.exec(declared)?.[0] ?? declared;
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(stored.replace(/\s+/g, ''));
  // Wider is fine while the digits after the point are the same.
  if (decimal !== null) {
    const asked = /^decimal\((\d+)(?:,(\d+))?\)$/.exec(declared === 'decimal' ? 'decimal(10,0)' : declared);
    return asked !== null && Number(asked[1]) >= Number(decimal[1]) && Number(asked[2] ?? 0) === Number(decimal[2]);
  }
  // Nested types, and those that Iceberg has no name for, are not compared.
  return READ_AS[stored]?.includes(kind) ?? true;
}
