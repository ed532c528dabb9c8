import { resolve } from 'node:path';

/** What `--out` of a report names: an `s3://` URL, or a folder. @returns URL ending in `/` */
export function outFolder(cwd: string, out: string): string {
  const url = out.startsWith('s3://') ? out : `file://${resolve(cwd, out)}`;
  return `${url.replace(/\/+$/, '')}/`;
}
