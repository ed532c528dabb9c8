import type { NoteNotice } from './note-notice.ts';
import { type GrowthNotice, type Notice, notices, type StoppedDelivery, type StoppedNotice } from './notice.ts';
import type { News } from './notifier.ts';
import { printable, shorten } from './printable.ts';

/** `verbatim`: Slack makes no links, channels or mentions of what looks like one. */
export interface SlackMarkdown {
  type: 'mrkdwn';
  text: string;
  verbatim: true;
}

/** The blocks that are used here; each is one of Block Kit's. */
export type SlackBlock =
  | { type: 'header'; text: { type: 'plain_text'; text: string; emoji: false } }
  | { type: 'section'; text: SlackMarkdown }
  | { type: 'context'; elements: SlackMarkdown[] };

export interface SlackMessage {
  /** The table's own channel; absent where the lake's is meant. */
  channel?: string;
  /** For notifications and screen readers. */
  text: string;
  blocks: SlackBlock[];
}

/** Slack's own limits: blocks of a message, characters of a header and of a text. */
const MAX_BLOCKS = 50;
const MAX_HEADER = 150;
const MAX_TEXT = 3_000;
const MAX_FOOTER = 200;
/** Slack refuses blocks of about 13,200 characters together (`msg_blocks_too_long`), which no documentation names. */
const MAX_TOTAL = 12_000;
/** Kept for the line that counts the rest, and the footer. */
const LAST_LINES = { blocks: 2, characters: 700 };
/** One delivery's text: five of the longest fit into a message. */
const MAX_DELIVERY = 2_000;

/**
 * What Slack is told: one message for each table and channel with stopped deliveries, a short one where a table gained columns, none for
 * deliveries that were just published. Keeps to Slack's limits; what does not fit is counted (`and 12 more`). Text from files and values is
 * escaped: it cannot become a link, a mention or formatting.
 * @param footer a last line under each message
 */
export function slackMessages(events: readonly News[], footer?: string): SlackMessage[] {
  return notices(events).map((notice) => ({
    ...(notice.channel !== undefined && { channel: notice.channel }),
    text: free(notice.headline, MAX_HEADER),
    blocks: [...blocksOf(notice), ...(footer === undefined ? [] : [context(free(footer, MAX_FOOTER))])],
  }));
}

function blocksOf(notice: Notice): SlackBlock[] {
  switch (notice.kind) {
    case 'stopped':
      return stoppedBlocks(notice);
    case 'growth':
      return growthBlocks(notice);
    case 'note':
      return noteBlocks(notice);
  }
}

function noteBlocks(notice: NoteNotice): SlackBlock[] {
  const owner = notice.owner === undefined ? '' : `, owner ${free(notice.owner, 300)}`;
  const headline = `*${free(notice.headline, MAX_HEADER)}*${owner}`;
  const items = [...notice.text.map((text) => free(text, 700)), ...notice.items.map((item) => `• ${code(item, 500)}`)];
  const text = section(withinLength([headline], items, MAX_TEXT, (rest) => `and ${rest} more`));
  return notice.link === undefined ? [text] : [text, section(link(notice.link))];
}

function stoppedBlocks(notice: StoppedNotice): SlackBlock[] {
  const blocks: SlackBlock[] = [
    {
      type: 'header',
      text: { type: 'plain_text', text: shorten(printable(notice.headline), MAX_HEADER), emoji: false },
    },
    context(
      `Table ${code(notice.table, 300)}${notice.owner === undefined ? '' : `, owner ${free(notice.owner, 300)}`}`,
    ),
  ];
  let total = JSON.stringify(blocks).length;
  let told = 0;
  for (const delivery of notice.deliveries) {
    const next = deliveryBlocks(delivery);
    const size = JSON.stringify(next).length;
    const isFull = blocks.length + next.length > MAX_BLOCKS - LAST_LINES.blocks;
    if (told > 0 && (isFull || total + size > MAX_TOTAL - LAST_LINES.characters)) break;
    blocks.push(...next);
    total += size;
    told++;
  }
  const rest = notice.deliveries.length - told;
  if (rest > 0) blocks.push(context(`and ${rest} more: \`lakegate delivery list\``));
  return blocks;
}

function deliveryBlocks(delivery: StoppedDelivery): SlackBlock[] {
  const branch = delivery.branch === undefined ? 'no branch' : `branch ${code(delivery.branch, 200)}`;
  const facts = delivery.facts.map((fact) => free(fact, 60));
  const lines = [code(delivery.file, 500), `${facts.join(' · ')} · ${branch}`];
  if (delivery.reason !== undefined) lines.push(`Reason: ${free(delivery.reason, 600)}`);
  const findings = delivery.findings.map(({ rule, column, text }) => {
    const on = column === undefined ? '' : ` on ${code(column, 200)}`;
    return `• *${free(rule, 40)}*${on}: ${free(text, 500)}`;
  });
  const text = withinLength(lines, findings, MAX_DELIVERY, (rest) => `and ${rest} more rules`);
  const typed = delivery.commands.map((command) => free(command, 600)).join('\n');
  return [section(text), section(`\`\`\`\n${typed}\n\`\`\``)];
}

function growthBlocks(notice: GrowthNotice): SlackBlock[] {
  const [file, ...more] = notice.files;
  const from = `${code(file!, 500)}${more.length === 0 ? '' : ` and ${more.length} more`}`;
  const owner = notice.owner === undefined ? '' : `, owner ${free(notice.owner, 300)}`;
  const lines = [`*${free(notice.headline, MAX_HEADER)}*${owner}, brought by ${from}`];
  const columns = notice.columns.map((column) => `• ${code(column, 300)}`);
  return [section(withinLength(lines, columns, MAX_TEXT, (rest) => `and ${rest} more`))];
}

/** The lines, then as many items as fit, then how many did not. */
function withinLength(
  lines: readonly string[],
  items: readonly string[],
  length: number,
  more: (rest: number) => string,
): string {
  const result = [...lines];
  let left = length - lines.join('\n').length - more(items.length).length - 1;
  for (const [i, item] of items.entries()) {
    left -= item.length + 1;
    if (left < 0) return [...result, more(items.length - i)].join('\n');
    result.push(item);
  }
  return result.join('\n');
}

function section(text: string): SlackBlock {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function context(text: string): SlackBlock {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** A link: in its address the characters that would end it are escaped. */
function link({ text, url }: { text: string; url: string }): string {
  const address = new URL(url).href.replaceAll('|', '%7C').replaceAll('&', '&amp;');
  return `<${address.replaceAll('<', '%3C').replaceAll('>', '%3E')}|${free(text, 100)}>`;
}

/** Text from outside in code style: nothing inside it is formatting. */
function code(text: string, length: number): string {
  return `\`${free(text, length) || ' '}\``;
}

/**
 * Text from outside with Slack's three special characters escaped (`&`, `<`, `>`), which is what links and mentions are made of, and
 * without backticks, which would end a code span.
 * @param length longest result, escapes counted; an escape is never cut in two
 */
function free(text: string, length: number): string {
  let result = '';
  for (const character of printable(text)) {
    const escaped = ESCAPES[character] ?? character;
    if (result.length + escaped.length > length - 1) return `${result}…`;
    result += escaped;
  }
  return result;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '`': "'" };
