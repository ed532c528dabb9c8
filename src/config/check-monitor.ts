import { parseByteSize } from './byte-size.ts';
import type { Partially } from './check-rules.ts';
import type { YamlPath } from './fault.ts';
import { resolveFolder } from './location.ts';
import { monitorDefaults } from './monitor.ts';
import type { MonitorThresholdsYaml, MonitorYaml } from './monitor-schema.ts';
import { found, type PathFault } from './shape-faults.ts';

/** Faults of `reports.monitor` that its shape cannot say: folders that cannot be used, bounds that exclude each other. */
export function checkMonitor(monitor: Partially<MonitorYaml>, path: YamlPath, folder: string): PathFault[] {
  const faults: PathFault[] = [];
  const report = (at: YamlPath, message: string) => faults.push({ path: [...path, ...at], part: 'value', message });
  for (const [i, text] of (monitor.folders ?? []).entries()) {
    const resolved = text === undefined ? undefined : resolveFolder(text, folder);
    if (resolved !== undefined && 'fault' in resolved) report(['folders', i], `${resolved.fault}, ${found(text)}`);
  }
  checkBounds(monitor, [], report);
  for (const [name, own] of Object.entries(monitor.tables ?? {})) {
    if (own !== undefined) checkBounds(own, ['tables', name], report);
  }
  return faults;
}

function checkBounds(
  { partitions, file_size: size }: Partially<MonitorThresholdsYaml>,
  path: YamlPath,
  report: (at: YamlPath, message: string) => void,
): void {
  if (typeof partitions === 'object' && (partitions.min ?? 0) > (partitions.max ?? Number.POSITIVE_INFINITY)) {
    report(
      [...path, 'partitions', 'min'],
      `expected at most \`max\`, which is ${partitions.max}, ${found(partitions.min)}`,
    );
  }
  if (size === undefined) return;
  const { fileSize } = monitorDefaults().thresholds;
  const min = (size.min === undefined ? undefined : parseByteSize(size.min)) ?? fileSize.min;
  const max = (size.max === undefined ? undefined : parseByteSize(size.max)) ?? fileSize.max;
  if (min <= max) return;
  const key = size.min === undefined ? 'max' : 'min';
  const limit = key === 'min' ? `at most \`max\`, which is ${size.max ?? '2GB'}` : 'at least `min`, which is 16MB';
  report([...path, 'file_size', key], `expected ${limit}, ${found(size[key])}`);
}
