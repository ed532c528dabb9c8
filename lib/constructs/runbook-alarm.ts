import { Tags } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** Where people find the runbook: docs/runbook.md of the checkout, or what the context `runbook` says (an address that ends before the `#`). */
export const RUNBOOK = 'docs/runbook.md';

export interface RunbookAlarmProps {
  /** Physical name, `<name>-<stage>-<what>`. */
  name: string;
  /** What happened, in one sentence that ends with a full stop. */
  summary: string;
  /** Heading in the runbook, as it is written there. */
  heading: string;
  metric: IMetric;
  /** The alarm goes off at this value and above. */
  threshold: number;
  /** Instead, it goes off below the threshold, and where nothing is reported at all: for things that have to be there. */
  below?: boolean;
  /** Periods in a row. Default: 1 */
  periods?: number;
  /** Hears of it too, where the stage names an address. */
  email?: ITopic;
}

/**
 * An alarm that tells its reader where to read on.
 * Missing data is no alarm: most metrics here are only reported when something happens.
 */
export class RunbookAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    const runbook = (scope.node.tryGetContext('runbook') as string | undefined) ?? RUNBOOK;
    super(scope, id, {
      alarmName: props.name,
      alarmDescription: `${props.summary} Runbook: ${runbook}#${anchorOf(props.heading)}`,
      metric: props.metric,
      threshold: props.threshold,
      evaluationPeriods: props.periods ?? 1,
      comparisonOperator: props.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: props.below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    Tags.of(this).add('runbook', anchorOf(props.heading));
    if (props.email) {
      const action = new SnsAction(props.email);
      this.addAlarmAction(action);
      this.addOkAction(action);
    }
  }
}

/** The anchor that Markdown viewers give a heading: lower case, words joined by hyphens. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
