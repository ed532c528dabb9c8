/**
 * Breaks text into lines at its spaces; a word that is longer than a line stays whole, since it may be a name that somebody copies.
 * @param width characters in a line; undefined: only where the text itself has ends of lines
 */
export function wrap(text: string, width: number | undefined): string[] {
  return text.split('\n').flatMap((line) => (width === undefined ? [line] : wrapLine(line, width)));
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
