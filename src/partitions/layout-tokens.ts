/** Parts of a time that a template can name, and what they look like in a path. */
const TIME_PARTS = {
  YYYY: '\\d{4}',
  MM: '0[1-9]|1[0-2]',
  DD: '0[1-9]|[12]\\d|3[01]',
  HH: '[01]\\d|2[0-3]',
  mm: '[0-5]\\d',
  ss: '[0-5]\\d',
} as const;
export type TimePart = keyof typeof TIME_PARTS;

export const TIME_LENGTH: Readonly<Record<TimePart, number>> = { YYYY: 4, MM: 2, DD: 2, HH: 2, mm: 2, ss: 2 };

/** From the largest part to the smallest: a time that lacks one cannot have those after it. */
export const BY_SIZE: readonly TimePart[] = ['YYYY', 'MM', 'DD', 'HH', 'mm', 'ss'];

/** Qlik Replicate's (Attunity's) ranges: `20261121T000000_20261122T000000`. */
const RANGE = '\\d{8}T\\d{6}_\\d{8}T\\d{6}';

/** A piece of one level of a layout. */
export type Token =
  | { kind: 'literal'; text: string }
  /** The whole value of a key. */
  | { kind: 'value'; key: string; escaped: boolean }
  | { kind: 'range'; key: string }
  | { kind: 'time'; key: string; part: TimePart };

/** The parts of one level; a sentence when it cannot be read. */
export function tokensOf(level: string): Token[] | string {
  const tokens: Token[] = [];
  let rest = level;
  while (rest !== '') {
    const [whole = '', text, key, format] = /^(?:([^{}]+)|\{([^{}:]+)(?::([^{}]+))?\})/.exec(rest) ?? [];
    if (whole === '') return `expected {key} or {key:FORMAT}, found ${JSON.stringify(rest)}`;
    rest = rest.slice(whole.length);
    if (text !== undefined) tokens.push({ kind: 'literal', text });
    else if (format === undefined) tokens.push({ kind: 'value', key: key!, escaped: false });
    else if (format === 'RANGE') tokens.push({ kind: 'range', key: key! });
    else {
      const parts = format.split(/(YYYY|MM|DD|HH|mm|ss)/);
      if (parts.length === 1) return `expected YYYY, MM, DD, HH, mm, ss or RANGE in {${key}:${format}}`;
      for (const part of parts) {
        if (part === '') continue;
        if (part in TIME_PARTS) tokens.push({ kind: 'time', key: key!, part: part as TimePart });
        else tokens.push({ kind: 'literal', text: part });
      }
    }
  }
  const open = tokens.findIndex(({ kind }, i) => kind === 'value' && tokens[i + 1]?.kind === 'value');
  return open < 0 ? tokens : 'expected some text between two values of a level: nothing says where one ends';
}

/** What the folder names of a level match; a group for each token that is no literal. */
export function patternOf(tokens: readonly Token[]): RegExp {
  const hive = tokens.some((token) => token.kind === 'value' && token.escaped);
  const source = tokens.map((token) => {
    if (token.kind === 'literal') return token.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (token.kind === 'value') return '(.+)';
    return token.kind === 'range' ? `(${RANGE})` : `(${TIME_PARTS[token.part]})`;
  });
  return new RegExp(`^${source.join('')}$`, hive ? 'isu' : 'su');
}

/** What a token is called in a message. */
export function wordOf(token: Token): string {
  if (token.kind === 'literal') return token.text;
  if (token.kind === 'value') return `<${token.key}>`;
  return token.kind === 'range' ? 'YYYYMMDDTHHMMSS_YYYYMMDDTHHMMSS' : token.part;
}
