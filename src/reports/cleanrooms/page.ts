import { type Answer, unknownText } from '../answer.ts';
import { configuredTableLink, glueTableLink, membershipLink } from '../console-links.ts';
import { type Html, html, httpsLink } from '../html.ts';
import { badge, filters, reportPage, tile } from '../page.ts';
import { accountsText } from './accounts.ts';
import { nameText } from './build.ts';
import type { Changes } from './changes.ts';
import { unknownsOf } from './json.ts';
import type { CleanRoomsReport, IdentityRow, TableState } from './model.ts';

/** A report with what changed, and links to its files. */
export interface PageReport {
  report: CleanRoomsReport;
  changes?: Changes;
  files: { label: string; href: string }[];
}

/** The reports of a run as one page for people. */
export function cleanRoomsPage(reports: readonly PageReport[]): string {
  const { generatedAt, database, region } = reports[0]!.report;
  const made = new Date(generatedAt).toISOString().slice(0, 16).replace('T', ' ');
  return reportPage({
    title: 'Clean Rooms report',
    subtitle: `${made} UTC · database ${database} · ${region}`,
    body: html`${reports.map(membershipSection)}${identitySection(reports[0]!.report.identities)}`,
  });
}

type Status = 'ready' | 'not-ready' | 'unknown';

function statusOf({ ready }: TableState): Status {
  if (!ready.known) return 'unknown';
  return ready.value ? 'ready' : 'not-ready';
}

function membershipSection({ report, changes, files }: PageReport): Html {
  const { tables, membershipId, region } = report;
  const count = (status: Status) => tables.filter((table) => statusOf(table) === status).length;
  const [ready, notReady, unknown] = [count('ready'), count('not-ready'), count('unknown')];
  return html`<section>
<h2>${nameText(report)}</h2>
<p class="soft">${
    membershipId === undefined
      ? 'No membership'
      : html`Membership <a href="${httpsLink(membershipLink(region, membershipId))}">${membershipId}</a>`
  } · ${deliveryText(report)}</p>
<div class="tiles">
${tile(ready, 'ready', 'good')}${tile(notReady, 'not ready', notReady > 0 ? 'bad' : 'plain')}${
  unknown > 0 && tile(unknown, 'not known', 'doubt')
}${tile(tables.length, 'tables')}
</div>
${gapsNote(report)}
${changesNote(changes)}
<p>${files.map(({ label, href }, index) => html`${index > 0 && ' · '}<a href="${href}">${label}</a>`)}</p>
${filters(
  [
    { status: 'ready', label: 'Ready', count: ready },
    { status: 'not-ready', label: 'Not ready', count: notReady },
    ...(unknown > 0 ? [{ status: 'unknown', label: 'Not known', count: unknown }] : []),
  ],
  tables.length,
)}
<div class="scroll"><table>
<thead><tr><th>Table</th><th>Ready</th><th>Why not, and remarks</th><th>Configured table</th><th>Association</th><th>Analysis providers</th><th>Result receivers</th></tr></thead>
<tbody>
${tables.map((table) => tableRow(report, table))}
</tbody>
</table></div>
</section>
`;
}

const BADGES = {
  ready: badge('Ready', 'good'),
  'not-ready': badge('Not ready', 'bad'),
  unknown: badge('Not known', 'doubt'),
} as const;

function tableRow({ region, database, accounts }: CleanRoomsReport, table: TableState): Html {
  const status = statusOf(table);
  const { glue, configured, rule, association, collaborationRule } = table;
  const inGlue = glue.known && glue.value !== undefined;
  const remarks = [
    ...table.missing,
    ...(glue.known && !inGlue ? ['not in the Glue catalogue'] : []),
    ...unknownsOf(table),
  ];
  const providers = cellOf(rule, (own) => accountsText(own.providers, accounts) || 'none');
  const receivers = cellOf(collaborationRule, (own) => accountsText(own.receivers, accounts) || 'none');
  return html`<tr data-row data-status="${status}">
<td data-label="Table"><span>${
    inGlue ? html`<a href="${httpsLink(glueTableLink(region, database, table.name))}">${table.name}</a>` : table.name
  }</span></td>
<td data-label="Ready"><span>${BADGES[status]}</span></td>
<td data-label="Why not">${remarks.length > 0 && html`<ul>${remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`}</td>
<td data-label="Configured table"><span>${cellOf(
    configured,
    ({ id, name }) => html`<a href="${httpsLink(configuredTableLink(region, id))}">${name}</a>`,
  )}</span></td>
<td data-label="Association"><span>${cellOf(association, ({ name }) => name)}</span></td>
<td data-label="Providers"><span>${providers}</span></td>
<td data-label="Receivers"><span>${receivers}</span></td>
</tr>
`;
}

function cellOf<T>(answer: Answer<T | undefined>, give: (value: T) => Html | string): Html | string {
  if (!answer.known) return badge('not known', 'doubt');
  return answer.value === undefined ? '–' : give(answer.value);
}

function deliveryText({ delivery, accounts }: CleanRoomsReport): string {
  const { canReceiveResults, receivers, output } = delivery;
  const own = canReceiveResults.known
    ? `this account ${canReceiveResults.value ? 'receives' : 'does not receive'} results`
    : unknownText(canReceiveResults.why);
  const others = receivers.known ? accountsText(receivers.value, accounts) || 'nobody' : unknownText(receivers.why);
  const place = output.known && output.value ? ` · results go to ${output.value.url}` : '';
  return `${own} · results are for ${others}${place}`;
}

function gapsNote({ gaps }: CleanRoomsReport): Html | false {
  if (gaps.length === 0) return false;
  return html`<div class="note"><strong>Not everything could be found out.</strong> What is marked as not known may be right or wrong.
<ul>${gaps.map(
    ({ action, reason, message, times }) =>
      html`<li>${action}: ${reason}${times > 1 && ` (${times} times)`} – ${message}</li>`,
  )}</ul></div>`;
}

function changesNote(changes: Changes | undefined): Html {
  if (changes === undefined)
    return html`<p class="soft">There is no earlier report of this membership to compare this one with.</p>`;
  const { since, becameReady, stopped, added, gone } = changes;
  const lines = [
    { label: 'Stopped being ready', names: stopped },
    { label: 'Became ready', names: becameReady },
    { label: 'New in the report', names: added },
    { label: 'No longer in the report', names: gone },
  ].filter(({ names }) => names.length > 0);
  const when = `${since.slice(0, 16).replace('T', ' ')} UTC`;
  if (lines.length === 0) return html`<p class="soft">Nothing changed since the report of ${when}.</p>`;
  return html`<h3>Changed since ${when}</h3><ul>${lines.map(
    ({ label, names }) => html`<li><strong>${label}</strong> (${names.length}): ${names.join(', ')}</li>`,
  )}</ul>`;
}

function identitySection(rows: readonly IdentityRow[]): Html | false {
  if (rows.length === 0) return false;
  const columns = [
    ['ID namespace', 'namespace'],
    ['Method', 'method'],
    ['Database', 'database'],
    ['Table', 'table'],
    ['Schema mapping', 'schemaMapping'],
    ['Unique id', 'uniqueId'],
    ['Input field', 'inputField'],
    ['Match key', 'matchKey'],
  ] as const;
  return html`<section>
<h2>Identity resolution</h2>
<div class="scroll"><table>
<thead><tr>${columns.map(([label]) => html`<th>${label}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${columns.map(([label, field]) => html`<td data-label="${label}"><span>${row[field]}</span></td>`)}</tr>
`,
)}
</tbody>
</table></div>
</section>
`;
}
