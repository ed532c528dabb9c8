/** What a Step Functions Map runs for one table: statements for Athena. */
export interface OptimizedTable {
  database: string;
  table: string;
  optimize: string;
  vacuum: string;
}

export interface OptimizePlan {
  tables: OptimizedTable[];
  /** Tables whose names these statements cannot carry, and why. */
  skipped: { table: string; reason: string }[];
}

/** Names that Athena takes without quotes in OPTIMIZE and VACUUM, neither of whose pages says how to quote others. */
const PLAIN = /^[a-z_][a-z0-9_]{0,254}$/;

/**
 * The statements that keep Iceberg tables of the Glue Data Catalog fast: small files put together, what no snapshot needs removed.
 * @see https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html and vacuum-statement.html
 */
export function planOptimize(names: readonly { namespace: readonly string[]; name: string }[]): OptimizePlan {
  const plan: OptimizePlan = { tables: [], skipped: [] };
  for (const { namespace, name } of names) {
    const database = namespace.join('.');
    if (namespace.length !== 1 || ![database, name].every((part) => PLAIN.test(part))) {
      plan.skipped.push({ table: `${database}.${name}`, reason: 'Athena takes lower case letters, digits and _ only' });
      continue;
    }
    // VACUUM wants backticks, and of the table alone, where its name starts with an underscore.
    const vacuumed = name.startsWith('_') ? `\`${name}\`` : name;
    plan.tables.push({
      database,
      table: name,
      optimize: `OPTIMIZE ${database}.${name} REWRITE DATA USING BIN_PACK`,
      vacuum: `VACUUM ${database}.${vacuumed}`,
    });
  }
  return plan;
}
