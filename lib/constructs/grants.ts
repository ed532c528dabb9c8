import { Stack, Validations } from 'aws-cdk-lib';
import { Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';

/** One thing that a role may do. */
export interface Grant {
  actions: readonly string[];
  resources: readonly string[];
  conditions?: Record<string, Record<string, string | readonly string[]>>;
  /** Why a resource holds a `*`. Demanded where one does, refused where none does. */
  wildcard?: string;
}

/**
 * Gives a role exactly these rights, as one policy that lists them.
 * Actions never hold a wildcard; a resource does only where its grant says why, and that sentence is what cdk-nag is told.
 * @throws Error for a wildcard without a reason: a fault of ours, found at synthesis
 */
export function allow(role: Role, grants: readonly Grant[]): Policy {
  const policy = new Policy(role, 'Grants', { roles: [role] });
  for (const { actions, resources, conditions, wildcard } of grants) {
    const wild = resources.filter((resource) => resource.includes('*'));
    if (actions.some((action) => action.includes('*')) || wild.length > 0 !== (wildcard !== undefined)) {
      throw new Error(
        `${role.node.path}: ${actions.join(', ')} on ${resources.join(', ')}: expected no wildcard in an action, and a reason exactly where a resource has one`,
      );
    }
    policy.addStatements(
      new PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions && { conditions }) }),
    );
    for (const resource of wild) acknowledgeWildcard(policy, resource, wildcard!);
  }
  return policy;
}

/**
 * Tells cdk-nag why a policy under `scope` names this resource.
 * @param resource as it stands in the policy: a literal ARN, `*`, or an ARN around a reference such as `<Name.Arn>:*`
 */
export function acknowledgeWildcard(scope: Policy | Role | Stack, resource: string, reason: string): void {
  const flat = flatten(Stack.of(scope).resolve(resource));
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flat}]`, reason });
}

/** As cdk-nag writes references in its findings: `<LogicalId.Attribute>`. */
function flatten(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  if (Array.isArray(resolved)) return resolved.map(flatten).join('');
  const [[name, value]] = Object.entries(resolved as Record<string, unknown>) as [[string, unknown]];
  if (name === 'Fn::Join') {
    const [separator, parts] = value as [string, unknown[]];
    return parts.map(flatten).join(separator);
  }
  if (name === 'Fn::GetAtt') return `<${(value as string[]).join('.')}>`;
  if (name === 'Ref') return `<${value as string}>`;
  return JSON.stringify(resolved);
}
