/**
 * Text from outside (file names, values, reasons) made safe to show on one line: control characters, line breaks, direction overrides and
 * invisible characters appear as their code (`\u{1b}`) and do nothing.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** At most `length` characters, the last one `…` where something was cut. Never cuts a code point in two. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  let result = '';
  for (const character of text) {
    if (result.length + character.length > length - 1) break;
    result += character;
  }
  return `${result}…`;
}
