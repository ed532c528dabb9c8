import { type Notice, notices, type StoppedDelivery } from './notice.ts';
import type { News } from './notifier.ts';
import { printable, shorten } from './printable.ts';

/** Text that Teams shows as it is: runs know no Markdown, so nothing in a file's name becomes a link or a mention. */
interface TextRun {
  type: 'TextRun';
  text: string;
  weight?: 'Bolder';
  color?: 'Attention' | 'Good';
  fontType?: 'Monospace';
  isSubtle?: true;
}

export interface RichText {
  type: 'RichTextBlock';
  inlines: TextRun[];
  separator?: true;
}

/** What a Teams workflow or incoming webhook takes: one Adaptive Card, in the wrapping of a message. */
export interface TeamsMessage {
  type: 'message';
  summary: string;
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive';
      contentUrl: null;
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
        type: 'AdaptiveCard';
        version: '1.4';
        msteams: { width: 'Full' };
        body: RichText[];
      };
    },
  ];
}

/** Teams takes 28 KB of a message (Microsoft Learn, "Incoming webhooks"); the wrapping takes some. */
const MAX_BYTES = 24_000;
const MAX_TEXT = 600;
const MAX_FINDINGS = 10;
const MAX_ITEMS = 30;

/**
 * What Teams is told: the same notices as Slack, one card each. What does not fit is counted.
 * @param footer a last line under each card
 */
export function teamsMessages(events: readonly News[], footer?: string): TeamsMessage[] {
  return notices(events).map((notice) => {
    const last = footer === undefined ? [] : [block([{ text: footer, isSubtle: true }], true)];
    const head = [block([{ text: notice.headline, weight: 'Bolder', ...tone(notice) }]), ...about(notice)];
    const fitting = fitted(head, partsOf(notice), last);
    return {
      type: 'message',
      summary: cut(notice.headline),
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            msteams: { width: 'Full' },
            body: fitting,
          },
        },
      ],
    };
  });
}

function tone(notice: Notice): Pick<TextRun, 'color'> {
  return { color: notice.kind === 'growth' ? 'Good' : 'Attention' };
}

function about({ table, owner }: Notice): RichText[] {
  if (table === undefined) return [];
  return [block([{ text: `Table ${table}${owner === undefined ? '' : `, owner ${owner}`}`, isSubtle: true }])];
}

/** The notice in parts, each of which is shown whole or not at all. */
function partsOf(notice: Notice): RichText[][] {
  switch (notice.kind) {
    case 'stopped':
      return notice.deliveries.map(delivery);
    case 'growth':
      return [...notice.columns.slice(0, MAX_ITEMS), ...notice.files.slice(0, 1)].map((text) => [
        block([{ text, fontType: 'Monospace' }]),
      ]);
    case 'note':
      return [
        ...notice.text.map((text) => [block([{ text }])]),
        ...notice.items.map((text) => [block([{ text, fontType: 'Monospace' }])]),
        ...(notice.link ? [[block([{ text: `${notice.link.text}: ${notice.link.url}` }])]] : []),
      ];
  }
}

function delivery({ file, facts, branch, reason, findings, commands }: StoppedDelivery): RichText[] {
  const shown = findings.slice(0, MAX_FINDINGS);
  const rest = findings.length - shown.length;
  return [
    block([{ text: file, fontType: 'Monospace' }], true),
    block([{ text: [...facts, branch === undefined ? 'no branch' : `branch ${branch}`].join(' · '), isSubtle: true }]),
    ...(reason === undefined ? [] : [block([{ text: `Reason: ${reason}` }])]),
    ...shown.map(({ rule, column, text }) =>
      block([{ text: rule, weight: 'Bolder' }, { text: `${column === undefined ? '' : ` on ${column}`}: ${text}` }]),
    ),
    ...(rest > 0 ? [block([{ text: `and ${rest} more rules`, isSubtle: true }])] : []),
    ...commands.map((text) => block([{ text, fontType: 'Monospace' }])),
  ];
}

function fitted(head: RichText[], parts: readonly RichText[][], last: RichText[]): RichText[] {
  const body = [...head];
  let room = MAX_BYTES - bytes([...head, ...last]) - 200;
  for (const [index, part] of parts.entries()) {
    room -= bytes(part);
    if (room < 0) {
      body.push(block([{ text: `and ${parts.length - index} more: lakegate delivery list`, isSubtle: true }]));
      break;
    }
    body.push(...part);
  }
  return [...body, ...last];
}

function block(runs: readonly Omit<TextRun, 'type'>[], separator = false): RichText {
  return {
    type: 'RichTextBlock',
    inlines: runs.map((run) => ({ type: 'TextRun', ...run, text: cut(run.text) })),
    ...(separator && { separator: true as const }),
  };
}

function cut(text: string): string {
  return shorten(printable(text), MAX_TEXT) || ' ';
}

function bytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
