import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { FILTER_SCRIPT, PAGE_STYLE } from './page-assets.ts';

export interface PageParts {
  title: string;
  /** Below the title: when it was made, of what. */
  subtitle: string;
  body: Html;
}

/**
 * One self-contained page for people: light and dark, readable on a phone, filters over its rows. The policy lets the page's own style and
 * script run and nothing else: no address is asked for, and nothing that came in with a value could run.
 */
export function reportPage({ title, subtitle, body }: PageParts): string {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${sha256(PAGE_STYLE)}'`,
    `script-src 'sha256-${sha256(FILTER_SCRIPT)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // A browser asks for /favicon.ico unless it is told that there is none.
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<header><h1>${title}</h1><p>${subtitle}</p></header>
<main>
${body}
</main>
<script>${new Html(FILTER_SCRIPT)}</script>
</body>
</html>
`.text;
}

/** A count with its name, in a row of them. @param tone colours it */
export function tile(value: string | number, label: string, tone: Tone = 'plain'): Html {
  return html`<div class="tile ${tone}"><strong>${value}</strong><span>${label}</span></div>`;
}

export type Tone = 'good' | 'bad' | 'doubt' | 'plain';

/** A word in a coloured pill. */
export function badge(text: string, tone: Tone): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

export interface FilterGroup {
  /** Value of a row's `data-status`. */
  status: string;
  label: string;
  count: number;
}

/** Buttons and a search field over the rows (`[data-row]`) of the section that they stand in. They work once the page's script has run. */
export function filters(groups: readonly FilterGroup[], total: number): Html {
  const button = (status: string, label: string, count: number, pressed: boolean) =>
    html`<button type="button" data-filter="${status}" aria-pressed="${String(pressed)}">${label} <b>${count}</b></button>`;
  return html`<div class="filters" role="group" aria-label="Filter" hidden>
${button('', 'All', total, true)}
${groups.map(({ status, label, count }) => button(status, label, count, false))}
<input type="search" placeholder="Search" aria-label="Search" data-search>
<span class="shown" aria-live="polite" data-shown></span>
</div>`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
