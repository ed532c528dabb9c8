import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In memory where there is such a place: these tests kill processes, not machines, and would mostly wait for the disk to sync. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A new folder for a test's files, to be removed by it. */
export function scratchFolder(name: string): Promise<string> {
  return mkdtemp(join(ROOT, `lakegate-${name}-`));
}
