import { type Html, html } from '../html.ts';
import { badge, filters, reportPage, type Tone, tile } from '../page.ts';
import { type CheckResult, type Health, type MonitorReport, type TableReport, words } from './report.ts';
import { bytesText, count, number, percentText } from './text.ts';

const TONES: Readonly<Record<Health, Tone>> = { healthy: 'good', unhealthy: 'bad', unknown: 'doubt' };

const LABELS: Readonly<Record<Health, string>> = { healthy: 'Healthy', unhealthy: 'Unhealthy', unknown: 'Not checked' };

/** What needs a person comes first. */
const ORDER: readonly Health[] = ['unhealthy', 'unknown', 'healthy'];

/** The report as one page for people. */
export function monitorPage(report: MonitorReport): string {
  const { summary, tables, not_listed: notListed } = report;
  const sorted = ORDER.flatMap((health) => tables.filter((table) => table.health_status === health));
  const groups = ORDER.map((health) => ({ status: health, label: LABELS[health], count: summary[health] }));
  const body = html`<div class="tiles">
${tile(number(summary.tables), 'tables')}
${tile(number(summary.healthy), 'healthy', summary.healthy > 0 ? 'good' : 'plain')}
${tile(number(summary.unhealthy), 'unhealthy', summary.unhealthy > 0 ? 'bad' : 'plain')}
${tile(number(summary.unknown), 'not checked', summary.unknown > 0 ? 'doubt' : 'plain')}
${tile(number(summary.findings), 'findings', summary.findings > 0 ? 'bad' : 'plain')}
</div>
${notListed.length > 0 && notListedNote(notListed)}
<section>
<h2>Tables</h2>
${filters(groups, summary.tables)}
<div class="scroll"><table>
<thead><tr><th>Table</th><th>Health</th><th>Findings</th><th>Rows</th><th>Snapshot</th><th>Key</th><th>Files</th></tr></thead>
<tbody>
${sorted.map(tableRow)}
</tbody>
</table></div>
</section>`;
  return reportPage({
    title: 'Data monitor report',
    subtitle: `${report.lake}, ${report.generated_at.slice(0, 19).replace('T', ' ')} UTC`,
    body,
  });
}

function notListedNote(places: MonitorReport['not_listed']): Html {
  return html`<div class="note" role="alert"><strong>Some tables could not be listed, and are not in this report.</strong>
<ul>${places.map(({ place, reason }) => html`<li>${place}: ${reason}</li>`)}</ul></div>`;
}

function tableRow(table: TableReport): Html {
  const { health_status: health } = table;
  return html`<tr data-row data-status="${health}">
<td data-label="Table"><div><strong>${table.table_name}</strong><br><span class="soft">${table.location}</span>${
    table.owner !== undefined && html`<br><span class="soft">owner ${table.owner}</span>`
  }</div></td>
<td data-label="Health"><div>${badge(LABELS[health], TONES[health])}</div></td>
<td data-label="Findings"><div>${findings(table.checks)}</div></td>
<td data-label="Rows" class="whole"><div>${rows(table)}</div></td>
<td data-label="Snapshot" class="whole"><div>${snapshot(table)}</div></td>
<td data-label="Key"><div>${key(table)}</div></td>
<td data-label="Files" class="whole"><div>${files(table)}</div></td>
</tr>
`;
}

function findings(checks: readonly CheckResult[]): Html {
  const told = checks.filter(({ status }) => status === 'finding' || status === 'not_checked');
  if (told.length === 0) return html`<span class="soft">none</span>`;
  return html`<ul>${told.map(({ check, status, expected, found }) =>
    status === 'finding'
      ? html`<li><strong>${words(check)}</strong>: expected ${expected}, found ${found}</li>`
      : html`<li class="soft"><strong>${words(check)}</strong> not checked: ${found}</li>`,
  )}</ul>`;
}

function rows({ record_count: now, previous_snapshot: before, record_change_percent: change }: TableReport): Html {
  if (before === null) return html`${known(now)}`;
  const percent = !change ? '' : ` (${percentText(change)})`;
  return html`${known(now)}<br><span class="soft">before: ${number(before.rows)}${percent}</span>`;
}

function snapshot(table: TableReport): Html {
  const { snapshot: id, snapshot_at: at, snapshot_age_days: age, partition_count: partitions } = table;
  if (id === null) return html`<span class="soft">none</span>`;
  const day = at?.slice(0, 10);
  // What a person knows a snapshot by is its day; the rest of its id is for programs.
  return html`${day ?? id}${age !== null && html`<br><span class="soft">${count(age, 'day')} old</span>`}${
    partitions !== null && partitions > 0 && html`<br><span class="soft">${count(partitions, 'partition')}</span>`
  }`;
}

function key({ key: columns, null_keys: nulls, duplicate_keys: repeats }: TableReport): Html {
  if (columns.length === 0) return html`<span class="soft">none given</span>`;
  return html`<span class="soft">${columns.join(', ')}</span><br>nulls ${known(nulls)}<br>repeats ${known(repeats)}`;
}

function files({ file_count: amount, total_bytes: bytes }: TableReport): Html {
  return html`${known(amount)}${bytes !== null && html`<br><span class="soft">${bytesText(bytes)}</span>`}`;
}

function known(value: number | null): string {
  return value === null ? 'unknown' : number(value);
}
