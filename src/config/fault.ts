/** The way from the top of lake.yaml to a value: keys and list positions. */
export type YamlPath = readonly (string | number)[];

/** Something wrong with lake.yaml or the environment, for a person. */
export interface Fault {
  /** `tables.sales.orders.rules[0]`, or the environment variable's name; empty for the file as a whole. */
  path: string;
  /** Where in lake.yaml, from 1; absent for the environment. */
  line?: number;
  column?: number;
  /** What was expected, what was found, what was probably meant. */
  message: string;
}

/** `lake.yaml:12:5 tables.sales.orders.rules[0]: expected …` */
export function formatFault(fault: Fault, file: string): string {
  const where = fault.line === undefined ? 'environment' : `${file}:${fault.line}:${fault.column}`;
  return `${where}${fault.path === '' ? '' : ` ${fault.path}`}: ${onOneLine(fault.message)}`;
}

/** `tables.sales.orders.rules[0]` */
export function formatPath(path: YamlPath): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? shown(part) : `.${shown(part)}`))
    .join('');
}

/** A value from lake.yaml inside a message: short, on one line, and nothing that a terminal would obey. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const safe = onOneLine(text);
  return safe.length > 60 ? `${[...safe].slice(0, 57).join('')}…` : safe;
}

function onOneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
