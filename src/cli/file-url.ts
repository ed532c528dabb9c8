import { resolve } from 'node:path';

/** A path on the command line as the store's URL. */
export function fileUrl(cwd: string, path: string): string {
  return path.startsWith('file:') ? path : `file://${resolve(cwd, path)}`;
}
