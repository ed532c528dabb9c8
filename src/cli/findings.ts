import type { Finding } from '../doctor/verdict.ts';
import { printable } from '../notify/printable.ts';
import type { Output } from './output.ts';
import { wrap } from './wrap.ts';

const COLORS = { ok: 'green', warning: 'yellow', failed: 'red', unchecked: 'magenta' } as const;

const STATUS_WIDTH = 'unchecked'.length;
const GAP = '  ';

/** Characters that a column of text needs to be read beside two others; with fewer, it stands below them. */
const LEAST_TEXT = 36;

/** Findings for people: a line each, what to do below those that are not right, and how many there are of which kind. */
export function renderFindings(findings: readonly Finding[], output: Output): string {
  const shown = together(findings);
  const nameWidth = Math.max(...shown.map(({ name }) => name.length));
  const beside = STATUS_WIDTH + nameWidth + 2 * GAP.length;
  const { width } = output;
  const isNarrow = width !== undefined && width - beside < LEAST_TEXT;
  const indent = isNarrow ? 4 : beside;
  const textWidth = width === undefined ? undefined : Math.max(width - indent, 1);
  const lines = shown.flatMap((finding, index) => {
    const { name, status, found } = finding;
    const text = paragraphs(found, textWidth);
    // One deed for several things in a row is told once, below the last of them.
    const next = shown[index + 1];
    const todo = next !== undefined && todoOf(next) === todoOf(finding) ? undefined : todoOf(finding);
    const below = todo === undefined ? [] : paragraphs(`→ ${withCommands(todo, output)}`, textWidth);
    const head = `${output.style(COLORS[status], status)}${' '.repeat(STATUS_WIDTH - status.length)}${GAP}${name}`;
    const pad = ' '.repeat(indent);
    if (isNarrow) return [head, ...[...text, ...below].map((line) => `${pad}${line}`)];
    const [first = '', ...rest] = text;
    return [
      `${head}${' '.repeat(nameWidth - name.length)}${GAP}${first}`,
      ...[...rest, ...below].map((line) => `${pad}${line}`),
    ];
  });
  return [...lines, '', summary(findings)].join('\n');
}

/** Things that could not be looked at for one and the same reason are one line. */
function together(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(findings, (finding) =>
    finding.status === 'unchecked' ? `unchecked ${finding.found}` : finding.name,
  );
  return [...groups.values()].map((group) => {
    const [first] = group as [Finding];
    const name = group.length > 1 && first.status === 'unchecked' ? `${group.length} things` : first.name;
    return { ...first, name: printable(name) };
  });
}

function todoOf(finding: Finding): string | undefined {
  return 'todo' in finding ? finding.todo : undefined;
}

function paragraphs(text: string, width: number | undefined): string[] {
  return wrap(text, width).map(printable);
}

/** The commands that a finding suggests, made to be about the lake of this call. */
function withCommands(todo: string, output: Output): string {
  return todo.replace(/`lakegate ([^`]+)`/g, (_whole, words: string) => `\`${output.command(words)}\``);
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const warnings = count('warning');
  return [
    `${count('ok')} ok`,
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`] : []),
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
    ...(count('unchecked') > 0 ? [`${count('unchecked')} could not be checked`] : []),
  ].join(', ');
}
