import type { RangeReader } from '../storage/store.ts';
import { corrupt, encrypted } from './fault.ts';
import { parseMetadata } from './metadata.ts';
import type { ParquetFooter } from './model.ts';

const LOCAL_TAIL = 64 * 1024;
const REMOTE_TAIL = 512 * 1024;
const MAGIC = 'PAR1';
/** Magic at both ends and the footer's length. */
const SMALLEST = 12;

/**
 * Reads a Parquet file's footer: its tail, and once more where the footer is longer than that. Where seeks are cheap, or the whole file came
 * with the tail, the leading magic is checked too.
 * @param name how error messages call the file
 * @throws LakegateError `corrupt` naming the fault, `unsupported` for encrypted files; whatever the reader throws
 */
export async function readFooter(reader: RangeReader, name: string): Promise<ParquetFooter> {
  const { bytes, footerStart } = await readFooterBytes(reader, name);
  return parseMetadata(bytes, { url: reader.url, name, fileSize: reader.byteLength, footerStart });
}

/** A footer's thrift (parquet.thrift: FileMetaData), unread, and where in the file it begins. Throws as `readFooter`, except for what only a reading finds. */
export async function readFooterBytes(
  reader: RangeReader,
  name: string,
): Promise<{ bytes: Uint8Array; footerStart: number }> {
  const fileSize = reader.byteLength;
  const tailStart = Math.max(0, fileSize - (reader.cheapSeeks ? LOCAL_TAIL : REMOTE_TAIL));
  const tail = await reader.read(tailStart, fileSize);
  if (tail.length !== fileSize - tailStart) {
    throw corrupt(name, `its last ${fileSize - tailStart} bytes were asked for, but ${tail.length} came`);
  }
  const ending = ascii(tail.subarray(-4));
  if (ending === 'PARE') throw encrypted(name, 'its footer is encrypted (it ends with PARE)');
  if (fileSize < SMALLEST) {
    throw corrupt(name, `it has ${fileSize} bytes, and the smallest Parquet file has ${SMALLEST}${guess(tail)}`);
  }
  const head = tailStart === 0 || reader.cheapSeeks ? await headOf(reader, tail, tailStart) : undefined;
  if (ending !== MAGIC) {
    const cut = head !== undefined && ascii(head.subarray(0, 4)) === MAGIC;
    const looks = cut ? ', though it begins with it: the upload may have been cut short' : guess(head ?? tail);
    throw corrupt(name, `it does not end with ${MAGIC}${looks}`);
  }
  if (head !== undefined && ascii(head.subarray(0, 4)) !== MAGIC) {
    throw corrupt(name, `it ends with ${MAGIC} but does not begin with it: its first part may be missing`);
  }
  const length = new DataView(tail.buffer, tail.byteOffset, tail.length).getUint32(tail.length - 8, true);
  if (length === 0 || length > fileSize - SMALLEST) {
    throw corrupt(name, `its footer should have 1 to ${fileSize - SMALLEST} bytes, but claims ${length}`);
  }
  const footerStart = fileSize - 8 - length;
  const bytes = await metadataBytes(reader, tail, tailStart, footerStart, fileSize - 8);
  if (bytes.length !== length) throw corrupt(name, `its footer has ${length} bytes, but ${bytes.length} came`);
  return { bytes, footerStart };
}

async function headOf(reader: RangeReader, tail: Uint8Array, tailStart: number): Promise<Uint8Array> {
  return tailStart === 0 ? tail.subarray(0, 512) : reader.read(0, 512);
}

async function metadataBytes(
  reader: RangeReader,
  tail: Uint8Array,
  tailStart: number,
  start: number,
  end: number,
): Promise<Uint8Array> {
  if (start >= tailStart) return tail.subarray(start - tailStart, end - tailStart);
  const front = await reader.read(start, tailStart);
  const whole = new Uint8Array(front.length + end - tailStart);
  whole.set(front);
  whole.set(tail.subarray(0, end - tailStart), front.length);
  return whole;
}

/** What bytes that are no Parquet look like, as the end of a sentence; empty when they look like nothing known. */
function guess(bytes: Uint8Array): string {
  if (bytes.length === 0) return ': it is empty';
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return ': it looks like gzip';
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3) return ': it looks like a zip or Excel file';
  const start = ascii(bytes.subarray(0, 512)).trimStart();
  if (start.startsWith('Obj\u0001')) return ': it looks like Avro';
  if (start.startsWith('ORC')) return ': it looks like ORC';
  if (/^<(!doctype|html|\?xml|error)/i.test(start)) return ': it looks like HTML or XML, perhaps an error page';
  if (/^[[{]/.test(start)) return ': it looks like JSON';
  const firstLine = start.split('\n', 1)[0] ?? '';
  if (/^[\t\r\x20-\x7e]+$/.test(firstLine) && /[,;\t|]/.test(firstLine)) return ': it looks like CSV';
  return '';
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
