import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { namePart } from '../names.ts';
import type { CleanRoomsReport } from './model.ts';

/** How the files of one report are called, without folder and ending. */
export interface ReportNames {
  /** Of the run: `ACX_Cleanroom_Report_20261112_101503`. */
  run: string;
  /** Of each report, in order; what comes after the run's own where it holds a collaboration's name. */
  reports: string[];
}

type Naming = Pick<CleanRoomsReportConfig, 'namePrefix' | 'naming' | 'collaborationInName'>;

/**
 * Names as `<prefix>_Cleanroom_Report_<stamp>`, with the collaboration's name before the stamp where lake.yaml asks for it or several reports
 * need to be told apart. Two collaborations of one name are told apart by the first digits of the memberships' ids.
 */
export function reportNames(config: Naming, reports: readonly CleanRoomsReport[], runStamp: string): ReportNames {
  const base = `${config.namePrefix}_Cleanroom_Report`;
  // Several reports of one run would be called the same.
  const isNamed = reports.length > 1 || config.collaborationInName === true;
  const parts = reports.map(({ collaborationName }) =>
    namePart(collaborationName.known ? collaborationName.value : undefined),
  );
  const isTwice = (part: string) => parts.filter((other) => other.toLowerCase() === part.toLowerCase()).length > 1;
  return {
    run: `${base}_${runStamp}`,
    reports: reports.map(({ membershipId }, index) => {
      const part = parts[index]!;
      const own = isTwice(part) ? `${part}_${namePart(membershipId).slice(0, 8)}` : part;
      return isNamed ? `${base}_${own}_${runStamp}` : `${base}_${runStamp}`;
    }),
  };
}
