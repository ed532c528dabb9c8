import type {
  AnalysisRule,
  AnalysisRuleType,
  BatchGetSchemaAnalysisRuleError,
  BatchGetSchemaAnalysisRuleOutput,
} from '@aws-sdk/client-cleanrooms';
import { type Answer, known, type Unanswered, unknown } from '../answer.ts';

interface Asked {
  name: string;
  type: AnalysisRuleType;
}

const ACTION = 'cleanrooms:BatchGetSchemaAnalysisRule';

/** What one answer says of each rule that was asked for, in order: the rule, that there is none, or why it is not known. */
export function ruleAnswers(
  asked: readonly Asked[],
  answer: Answer<Pick<BatchGetSchemaAnalysisRuleOutput, 'analysisRules' | 'errors'> | undefined>,
): Answer<AnalysisRule | undefined>[] {
  if (!answer.known) return asked.map(() => answer);
  // The collaboration itself is gone: none of its schemas has a rule.
  if (answer.value === undefined) return asked.map(() => known(undefined));
  const { analysisRules = [], errors = [] } = answer.value;
  return asked.map((own) => {
    const rule = analysisRules.find((each) => isSame(own, each));
    if (rule !== undefined) return known(rule);
    const error = errors.find((each) => isSame(own, each));
    if (error === undefined) return unknown({ reason: 'other', action: ACTION, message: `no answer for ${own.name}` });
    return isMissing(error)
      ? known(undefined)
      : unknown({ reason: reasonOf(error), action: ACTION, message: words(error) });
  });
}

function isSame(asked: Asked, { name, type }: { name: string | undefined; type: string | undefined }): boolean {
  return type === asked.type && name?.toLowerCase() === asked.name.toLowerCase();
}

/** The API reference does not say which codes there are: they are taken by what their names say. */
function isMissing({ code }: BatchGetSchemaAnalysisRuleError): boolean {
  return /not_?found/i.test(code ?? '');
}

function reasonOf({ code = '' }: BatchGetSchemaAnalysisRuleError): Unanswered['reason'] {
  if (/denied|unauthorized|forbidden/i.test(code)) return 'denied';
  return /throttl/i.test(code) ? 'throttled' : 'other';
}

function words({ code, message }: BatchGetSchemaAnalysisRuleError): string {
  return `${code}: ${message}`.replace(/\s+/g, ' ').slice(0, 300);
}
