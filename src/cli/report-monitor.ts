import { relative } from 'node:path';
import { monitorDefaults } from '../config/monitor.ts';
import { LakegateError } from '../errors.ts';
import { latestMonitor, saveMonitor } from '../reports/monitor/files.ts';
import { monitorLake } from '../reports/monitor/monitor-lake.ts';
import { findingsOf, type MonitorReport, type TableReport, uncheckedOf } from '../reports/monitor/report.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import { count } from './words.ts';

