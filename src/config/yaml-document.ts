import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { type Fault, formatPath, type YamlPath } from './fault.ts';
import { plainValue, rejoinPairs, rejoinScalars } from './yaml-scalar.ts';

/** A YAML text as plain data that remembers where each value stands. */
export interface YamlDocument {
  /** Null where nothing could be read. Maps are objects without a prototype. */
  value: unknown;
  /** Faults of the YAML itself. Where `broken`, the value is a guess and not worth checking further. */
  faults: Fault[];
  broken: boolean;
  /** Line and column (from 1) of the value at the path, or of its key; of the nearest enclosing one when there is no such value. */
  locate(path: YamlPath, part: 'key' | 'value'): { line: number; column: number };
}

/** Aliases may name the same node often; a file that unfolds to more values than this is an attack or an accident. */
const MAX_VALUES = 100_000;

/**
 * Reads one YAML 1.2 document, with the merge keys (`<<`) of YAML 1.1. Three readings are lake.yaml's own, see `yaml-scalar.ts`.
 * Never throws for what the text holds: every fault is in `faults`, with its line.
 */
export function readYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const offsets = new Map<string, { key: number; value: number }>();
  const faults: Fault[] = [];
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, path: YamlPath, message: string) =>
    faults.push({ path: formatPath(path), ...position(offset), message });

  let broken = false;
  const faultyLines = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    const { line } = position(error.pos[0]);
    if (error.code !== 'DUPLICATE_KEY') broken = true;
    // One slip makes the parser stumble several times over the same line: the first stumble is the one to read.
    if (error.code !== 'DUPLICATE_KEY' && faultyLines.has(line)) continue;
    faultyLines.add(line);
    report(error.pos[0], [], syntaxMessage(error.code, error.message));
  }
  let value: unknown = null;
  if (!broken) {
    const reader = new NodeReader(document, offsets, report);
    value = reader.read(document.contents, []);
    broken = reader.broken;
  }
  return {
    value,
    faults,
    broken,
    locate(path, part) {
      for (let length = path.length; length >= 0; length--) {
        const found = offsets.get(JSON.stringify(path.slice(0, length)));
        if (found !== undefined) return position(length < path.length || part === 'key' ? found.key : found.value);
      }
      return { line: 1, column: 1 };
    },
  };
}

function syntaxMessage(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'expected each key once: this one is already there. Remove one of the two';
  if (code === 'BAD_ALIAS') return 'a bare `*` starts an alias in YAML. Quote it: "*"';
  if (code === 'TAB_AS_INDENT') return 'expected spaces: YAML does not allow tabs for indentation';
  if (code === 'MULTIPLE_DOCS') return 'expected one document: remove the `---` and what follows it';
  if (code === 'BAD_SCALAR_START') return `${message}. Quote the value`;
  return `not valid YAML: ${message}`;
}

/** Turns nodes into plain data. Holds the record of where each value stands. */
class NodeReader {
  broken = false;
  readonly #document: Document;
  readonly #offsets: Map<string, { key: number; value: number }>;
  readonly #report: (offset: number, path: YamlPath, message: string) => void;
  readonly #open = new Set<Node>();
  #values = 0;

  constructor(
    document: Document,
    offsets: Map<string, { key: number; value: number }>,
    report: (offset: number, path: YamlPath, message: string) => void,
  ) {
    this.#document = document;
    this.#offsets = offsets;
    this.#report = report;
  }

  read(node: unknown, path: YamlPath, keyOffset?: number): unknown {
    if (!isNode(node) || this.broken) return null;
    const offset = node.range?.[0] ?? keyOffset ?? 0;
    // A value that is not written (`key:`) has its place after the key; the key is what a person looks for.
    const written = !(isScalar(node) && node.value === null && node.source === '');
    this.#offsets.set(JSON.stringify(path), {
      key: keyOffset ?? offset,
      value: written ? offset : (keyOffset ?? offset),
    });
    if (++this.#values > MAX_VALUES) return this.#refuse(offset, path, 'its aliases unfold to too many values');
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined)
        return this.#refuse(offset, path, `there is no anchor &${node.source} before *${node.source}`);
      return this.#enter(target, path, keyOffset ?? offset);
    }
    return isCollection(node) ? this.#enter(node, path, keyOffset) : plainValue(node);
  }

  #enter(node: Node, path: YamlPath, keyOffset?: number): unknown {
    if (this.#open.has(node)) return this.#refuse(node.range?.[0] ?? 0, path, 'it contains itself through an alias');
    this.#open.add(node);
    try {
      if (isMap(node)) return this.#readMap(node, path);
      if (isSeq(node)) {
        const items = node.flow ? rejoinScalars(node.items) : node.items;
        return items.map((item, i) => this.read(item, [...path, i]));
      }
      return this.read(node, path, keyOffset);
    } finally {
      this.#open.delete(node);
    }
  }

  #readMap(map: YAMLMap, path: YamlPath): unknown {
    const result: Record<string, unknown> = Object.create(null);
    const merged: unknown[] = [];
    const own: { name: string; pair: Pair; offset: number }[] = [];
    for (const pair of (map.flow ? rejoinPairs(map.items) : map.items) as Pair[]) {
      const key = pair.key;
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!isScalar(key)) {
        this.#report(offset, path, 'expected a word as key, found a list or mapping');
      } else if (key.value === '<<' && key.type === 'PLAIN') {
        const here = this.#offsets.get(JSON.stringify(path));
        const source = this.read(pair.value, path, offset);
        if (here !== undefined) this.#offsets.set(JSON.stringify(path), here);
        merged.push(...(Array.isArray(source) ? source : [source]));
      } else {
        own.push({ name: key.source ?? String(key.value), pair, offset });
      }
    }
    // After the merged ones, so that the places of own values are the ones to stay.
    for (const { name, pair, offset } of own) result[name] = this.read(pair.value, [...path, name], offset);
    for (const source of merged) {
      if (typeof source !== 'object' || source === null) continue;
      for (const [name, value] of Object.entries(source)) if (!(name in result)) result[name] = value;
    }
    return result;
  }

  #refuse(offset: number, path: YamlPath, why: string): null {
    this.broken = true;
    this.#report(offset, path, `cannot be read: ${why}`);
    return null;
  }
}
