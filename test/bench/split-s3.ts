import { readFileSync } from 'node:fs';
import { createStores } from '../../src/storage/stores.ts';
import { commitAllPlanned, copyPlannedPart, planItems } from '../../src/tables/planned.ts';
import { prepareSplit, type SplitRequest } from '../../src/tables/prepare-split.ts';
import { startSeaweed } from '../interop/emulators/index.ts';
import { newBucket, useEmulator } from '../interop/s3.ts';
import { countingClient, type Traffic } from '../interop/s3-traffic.ts';

/** A source, and the split map that it is split by. */
interface Source {
  file: string;
  map: string;
}

/** Of the source with large chunks: four columns each for two tables. */
const LARGE_MAP = `table,column,description\n${[...'abcdefgh'].map((name, index) => `${index < 4 ? 'FRONT' : 'BACK'},${name},\n`).join('')}`;

/**
 * The copy engine on an S3 server, as a state machine runs it: prepare, the parts, the commits.
 * @returns lines of Markdown: requests and bytes for each output file
 */
export async function splitOnS3({ wide, large }: { wide: Source; large: string }): Promise<string[]> {
  const server = await startSeaweed();
  try {
    useEmulator(server);
    const lines = [
      '### The copy engine on an S3 server (SeaweedFS)',
      '',
      '| | output files | bytes each | requests each | UploadPartCopy each | read | written | through the process |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ];
    const map = { text: readFileSync(wide.map, 'utf8'), name: wide.map };
    lines.push(line('the wide snapshot of above', await split(wide.file, { map, key: 'customer_user_id' })));
    const request = { map: { text: LARGE_MAP, name: 'map' }, key: 'id' };
    lines.push(line('chunks of 26 MB', await split(large, request)));
    return lines;
  } finally {
    await server.stop();
  }
}

interface Seen {
  files: number;
  bytes: number;
  traffic: Traffic;
}

async function split(file: string, own: Pick<SplitRequest, 'map' | 'key'>): Promise<Seen> {
  const bucket = await newBucket();
  await createStores().copy(file, `${bucket}in/snapshot_dt=2026-01-31/part-00000.parquet`);
  const { client, traffic } = countingClient();
  const store = createStores({ s3: { client } });
  const { plan } = await prepareSplit(store, {
    ...own,
    source: `${bucket}in/`,
    target: `${bucket}out/`,
    aliases: {},
    only: [],
    strict: false,
    targetBytes: 512 * 1024 ** 2,
  });
  for (const item of planItems(plan)) for (const part of item) await copyPlannedPart(store, plan, part);
  const outcomes = await commitAllPlanned(store, plan);
  const failed = outcomes.find(({ outcome }) => outcome !== 'written');
  if (failed !== undefined) throw new Error(`${failed.table}: ${failed.outcome}: ${failed.reason}`);
  const outputs = plan.tables.flatMap((table) => table.outputs);
  return { files: outputs.length, bytes: outputs.reduce((sum, each) => sum + each.bytes, 0), traffic };
}

function line(what: string, { files, bytes, traffic }: Seen): string {
  const { requests, received, sent } = traffic;
  const all = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const megabytes = (amount: number) => `${(amount / 1e6).toFixed(1)} MB`;
  const cells = [
    what,
    String(files),
    megabytes(bytes / files),
    (all / files).toFixed(1),
    ((requests.UploadPartCopy ?? 0) / files).toFixed(1),
    megabytes(received),
    megabytes(sent),
    `${((100 * sent) / bytes).toFixed(1)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}
