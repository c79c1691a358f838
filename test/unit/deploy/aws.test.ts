import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ScalarTag } from 'yaml';

const ROOT = join(__dirname, '../../..');
const BOUNDARY = 'arn:aws:iam::123456789012:policy/lease-boundary';
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string }>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface Properties {
  readonly ManagedPolicyName?: string;
  readonly PolicyDocument?: unknown;
  readonly AssumeRolePolicyDocument?: unknown;
  readonly Policies?: readonly { readonly PolicyDocument: unknown }[];
}

/** The policies of the page, in its order: the boundary, and what the orchestrator may do. */
async function documented(): Promise<readonly unknown[]> {
  const page = await read('docs/integrations/aws-iam.md');
  const policies = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as unknown);
  expect(policies).toHaveLength(2);
  return policies;
}

/** Puts in what CloudFormation and Terraform do; the values are those of the page. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known of ${name}`);
    return value;
  });
}

/** Reads a template with the intrinsic functions that it uses; any other one is refused. */
function parseTemplate(text: string, values: Readonly<Record<string, string>>): Template {
  const tag = (name: string, resolve: (text: string) => unknown): ScalarTag => ({ tag: name, resolve });
  const customTags = [
    tag('!Ref', (name) => fill(`\${${name}}`, values)),
    tag('!GetAtt', (name) => fill(`\${${name}}`, values)),
    tag('!Sub', (sub) => fill(sub, values)),
  ];
  return parse(text, { customTags, strict: true }) as Template;
}

test('the CloudFormation template makes the boundary and the role with the policies that the page shows', async () => {
  const [boundary, orchestrator] = await documented();
  const template = parseTemplate(await read('deploy/aws/leasehold.yaml'), {
    'AWS::Partition': 'aws',
    'AWS::AccountId': '123456789012',
    NamePrefix: 'leasehold',
    UserPath: '/leasehold/',
    TrustedPrincipal: 'arn:aws:iam::123456789012:role/worker',
    Boundary: BOUNDARY,
    'Orchestrator.Arn': 'arn:aws:iam::123456789012:role/leasehold-orchestrator',
  });
  expect(template.Parameters['NamePrefix']!.Default).toBe('leasehold');
  expect(template.Parameters['UserPath']!.Default).toBe('/leasehold/');
  const { Boundary: policy, Orchestrator: role } = template.Resources;
  expect(policy!.Type).toBe('AWS::IAM::ManagedPolicy');
  expect(BOUNDARY).toMatch(new RegExp(`/${policy!.Properties.ManagedPolicyName!}$`));
  expect(policy!.Properties.PolicyDocument).toEqual(boundary);
  expect(role!.Type).toBe('AWS::IAM::Role');
  expect(role!.Properties.Policies!.map(({ PolicyDocument }) => PolicyDocument)).toEqual([orchestrator]);
  expect(role!.Properties.AssumeRolePolicyDocument).toEqual(trust('arn:aws:iam::123456789012:role/worker'));
  expect(template.Outputs['PermissionsBoundary']!.Value).toBe(BOUNDARY);
});

test('the Terraform file makes the boundary and the role with the policies that the page shows', async () => {
  const [boundary, orchestrator] = await documented();
  const text = await read('deploy/aws/leasehold.tf');
  const policies = [...text.matchAll(/(\w+) += <<-JSON\n(.*?)\n +JSON$/gms)].map(([, name, json]) => {
    const filled = fill(json!, {
      'local.iam': 'arn:aws:iam::123456789012',
      'var.name_prefix': 'leasehold',
      'var.user_path': '/leasehold/',
      'var.trusted_principal': 'arn:aws:iam::123456789012:role/worker',
      'aws_iam_policy.boundary.arn': BOUNDARY,
    });
    return [name, JSON.parse(filled) as unknown];
  });
  expect(policies).toEqual([
    ['policy', boundary],
    ['assume_role_policy', trust('arn:aws:iam::123456789012:role/worker')],
    ['policy', orchestrator],
  ]);
  for (const value of ['leasehold', '/leasehold/']) expect(text).toMatch(new RegExp(`default += "${value}"`));
});

/** Who may act as the orchestrator. */
function trust(principal: string): unknown {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' }],
  };
}
