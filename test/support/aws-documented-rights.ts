import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

/** Names of leased users without their path, as the documentation has operators write them. */
const NAMES = `arn:aws:iam::123456789012:user/leasehold-${'?'.repeat(8)}-${'?'.repeat(24)}`;

/** The actions that the documentation tells operators to grant. */
export async function documentedActions(): Promise<string[]> {
  return (await readStatements()).flatMap(({ Action }) => Action).sort();
}

/** Operations among them that it has granted on the users' names without the path, too. */
export async function documentedByName(): Promise<string[]> {
  const statements = (await readStatements()).filter(({ Resource }) => [Resource].flat().includes(NAMES));
  return statements.flatMap(({ Action }) => [Action].flat().map((action) => action.replace(/^iam:/, '')));
}

async function readStatements(): Promise<readonly Statement[]> {
  const page = await readFile(join(__dirname, '../../docs/integrations/aws-iam.md'), 'utf8');
  const section = page.slice(page.indexOf('## What the orchestrator may do'));
  return (JSON.parse(/```json\n([\s\S]*?)```/.exec(section)![1]!) as { Statement: Statement[] }).Statement;
}
