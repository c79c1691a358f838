import { IAMClient, ListAccessKeysCommand, ListUsersCommand, NoSuchEntityException } from '@aws-sdk/client-iam';
import type { AwsEmulator } from '../../dev/aws-emulator';
import type { CallPhase } from '../support/fault-proxy';
import { leaseIdOf } from './deeds';
import type { EntitySeen } from './trace';
import type { Call } from './weather';

/** What AWS itself holds. */
export interface AwsHoldings {
  entities(deployment: string): Promise<readonly EntitySeen[]>;
  /** To be told of each call that changes something: the keys of other users are not asked for twice. */
  changes(call: Call, phase: CallPhase): void;
  close(): void;
}

export function openAwsHoldings(
  aws: Pick<AwsEmulator, 'url' | 'region' | 'accessKeyId' | 'secretAccessKey'>,
): AwsHoldings {
  const { url: endpoint, region, accessKeyId, secretAccessKey } = aws;
  const iam = new IAMClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const known = new Map<string, readonly string[]>();
  const changing = new Set<Call>();
  /** How often a change has begun or was done: an answer that one of them overtook is not the last word on its user. */
  let turns = 0;

  async function users(): Promise<string[]> {
    const names: string[] = [];
    for (let marker: string | undefined, more = true; more;) {
      const page = await iam.send(new ListUsersCommand({ MaxItems: 1_000, Marker: marker }));
      names.push(...page.Users!.map(({ UserName: name }) => name!));
      marker = page.Marker;
      more = page.IsTruncated === true;
    }
    return names;
  }

  /** Null: the user has gone meanwhile. */
  async function keysOf(name: string): Promise<readonly string[] | null> {
    const before = known.get(name);
    if (before !== undefined) return before;
    const asked = turns;
    try {
      const { AccessKeyMetadata: keys } = await iam.send(new ListAccessKeysCommand({ UserName: name }));
      const ids = keys!.map(({ AccessKeyId: id }) => id!);
      if (turns === asked && [...changing].every(({ entity }) => entity !== name)) known.set(name, ids);
      return ids;
    } catch (error) {
      if (error instanceof NoSuchEntityException) return null;
      throw error;
    }
  }

  return {
    entities: async (deployment) => {
      const names = (await users()).filter((name) => leaseIdOf(deployment, name) !== null);
      for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
      const entities: EntitySeen[] = [];
      for (const name of names) {
        const identities = await keysOf(name);
        if (identities === null) continue;
        entities.push({ integration: 'aws', name, leaseId: leaseIdOf(deployment, name), identities });
      }
      return entities;
    },
    changes: (call, phase) => {
      turns += 1;
      if (call.entity !== null) known.delete(call.entity);
      if (phase === 'before') changing.add(call);
      else changing.delete(call);
    },
    close: () => {
      iam.destroy();
    },
  };
}
