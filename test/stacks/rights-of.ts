import type { Template } from 'aws-cdk-lib/assertions';

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** By role, named by its logical id: lines of `resource: actions`, with `if` where there is a condition. Sorted. */
export function rightsOf(templates: readonly Template[]): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  for (const template of templates) {
    for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
      const { Statement } = Properties.PolicyDocument as { Statement: Statement[] };
      for (const { Ref } of Properties.Roles as { Ref: string }[]) {
        const role = Ref.replace(/(Role[0-9A-F]{8}|[0-9A-F]{8})$/, '');
        const own = Statement.flatMap(({ Action, Resource, Condition }) =>
          [Resource].flat().map((resource) => {
            const words = [Action].flat().sort().join(' ');
            return `${nameOf(resource)}: ${words}${Condition === undefined ? '' : ' if'}`;
          }),
        );
        lines[role] = [...(lines[role] ?? []), ...own].sort();
      }
    }
  }
  return lines;
}

/** An ARN without what is the same for all, a reference as `<LogicalId>`. */
function nameOf(resource: unknown): string {
  if (typeof resource === 'string') {
    return resource
      .replace('arn:aws:', '')
      .replace(':eu-west-1:111111111111:', ':')
      .replaceAll('-111111111111-eu-west-1', '');
  }
  const text = JSON.stringify(resource);
  const [, name] = /"(?:Fn::GetAtt":\["|Ref":")(\w+?)(?:[0-9A-F]{8})"|ExportsOutputFnGetAtt(\w+?)[0-9A-F]{8}/
    .exec(text)!
    .filter(Boolean);
  return `<${name}>`;
}
