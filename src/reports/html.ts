/** HTML that was made here, as against text that came from outside. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text is escaped, lists are put one after the other, nothing is nothing. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | null | undefined | false;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Template tag: every value is escaped, in elements and in quoted attributes alike, unless it is `Html` itself. Values do not belong into
 * scripts, styles, comments or attributes without quotes.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

/** An address for `href`: nothing but https. @throws TypeError for any other: a fault of ours */
export function httpsLink(url: string): string {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:') throw new TypeError(`expected an https address, found ${parsed.protocol}`);
  return parsed.href;
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
