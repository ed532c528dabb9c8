/** Style of a report's page. On a narrow screen each row of a table becomes a block with its column names (`data-label`). */
export const PAGE_STYLE = `
:root { --ink: #1b2430; --soft: #566272; --line: #d8dee6; --paper: #f6f8fa; --card: #ffffff; --link: #0b5cad;
  --good: #116b35; --good-bg: #dcf3e4; --bad: #a11c1c; --bad-bg: #fbe3e1; --doubt: #7a4d00; --doubt-bg: #fdf0cf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9fabb9; --line: #303a46; --paper: #11161c; --card: #19212a;
  --link: #7cb8ff; --good: #7fdda0; --good-bg: #143523; --bad: #ff9d96; --bad-bg: #44191a; --doubt: #ffd27a; --doubt-bg: #3c2d0c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
header, main { max-width: 1400px; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
header p { color: var(--soft); margin: .25rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin: 0 0 1rem; }
a { color: var(--link); }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 1rem; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; min-width: 6.5rem; background: var(--card); }
.tile strong { display: block; font-size: 1.5rem; line-height: 1.2; }
.tile span { color: var(--soft); font-size: .85rem; }
.tile.good strong { color: var(--good); } .tile.bad strong { color: var(--bad); } .tile.doubt strong { color: var(--doubt); }
.badge { display: inline-block; border-radius: 999px; padding: .05rem .6rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.badge.good { color: var(--good); background: var(--good-bg); } .badge.bad { color: var(--bad); background: var(--bad-bg); }
.badge.doubt { color: var(--doubt); background: var(--doubt-bg); } .badge.plain { color: var(--soft); border: 1px solid var(--line); }
.note { border-left: 4px solid var(--doubt); background: var(--doubt-bg); padding: .5rem .8rem; border-radius: 4px; margin: 0 0 1rem; }
.note ul { margin: .25rem 0 0; padding-left: 1.2rem; } .soft { color: var(--soft); } li, td, dd { overflow-wrap: break-word; }
.filters { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: .75rem 0; }
.filters[hidden] { display: none; }
.filters button, .filters input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .3rem .7rem; min-height: 2.2rem; }
.filters button { cursor: pointer; } .filters button[aria-pressed="true"] { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
.filters input { flex: 1 1 10rem; min-width: 0; } .shown { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
th { font-size: .8rem; color: var(--soft); font-weight: 600; white-space: nowrap; }
td ul { margin: 0; padding-left: 1.1rem; }
td > span { display: block; max-width: 12rem; } td > ul { max-width: 14rem; } td.whole { white-space: nowrap; }
tr[hidden] { display: none !important; }
@media (max-width: 760px) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; width: 100%; }
  tr { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 .6rem; padding: .3rem .2rem; }
  td { border: 0; padding: .2rem .5rem; display: flex; gap: .75rem; }
  td:has(li) { display: block; } td:empty { display: none; } td > span, td > ul { max-width: none; }
  td::before { content: attr(data-label); flex: 0 0 6.5rem; color: var(--soft); font-size: .8rem; padding-top: .1rem; }
  td > *, td li { min-width: 0; overflow-wrap: anywhere; }
}
@media print { .filters { display: none; } section { break-inside: avoid; } }
`;

/** Filters of a report's page: by status, and by what a row's text holds. Only reads and hides what is there. */
export const FILTER_SCRIPT = `
'use strict';
for (const bar of document.querySelectorAll('.filters')) {
  const section = bar.closest('section');
  const rows = [...section.querySelectorAll('[data-row]')];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const buttons = [...bar.querySelectorAll('[data-filter]')];
  const search = bar.querySelector('[data-search]');
  const shown = bar.querySelector('[data-shown]');
  let status = '';
  const apply = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, index) => {
      const fits = (status === '' || row.dataset.status === status) && words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      if (fits) count += 1;
    });
    shown.textContent = count === rows.length ? '' : count + ' of ' + rows.length;
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      status = button.dataset.filter;
      for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
      apply();
    });
  }
  search.addEventListener('input', apply);
  bar.hidden = false;
}
`;
