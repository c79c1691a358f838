import type { IntegrationName } from './plan-types';
import type { DeedSeen } from './trace';

/** What an operation of a provider does; null: it only reads. */
export function effectOf(integration: IntegrationName, operation: string): DeedSeen['effect'] | null {
  const words = WORDS[integration];
  if (words.makes.test(operation)) return 'makes';
  if (words.removes.test(operation)) return 'removes';
  return words.other.test(operation) ? 'other' : null;
}

/** Whether it is what an attempt to make something asks first, by whose answer it goes. Who removes asks the same later. */
export function isLook(integration: IntegrationName, operation: string): boolean {
  return LOOKS[integration] === operation;
}

/** Of a name that an entity of this deployment has, whatever stands before it; null: it is none. */
export function leaseIdOf(deployment: string, name: string): string | null {
  const [, own, leaseId] = /-([a-z2-7]{8})-([a-z2-7]{24})$/.exec(name) ?? [];
  return own === deployment ? (leaseId ?? null) : null;
}

const LOOKS: Readonly<Record<IntegrationName, string>> = {
  aws: 'GetUser',
  database: 'LookUpRole',
  datadog: 'ListServiceAccountApplicationKeys',
};

/** A user without a key is nobody that can sign in, and a role comes and goes in one statement. */
const WORDS: Readonly<Record<IntegrationName, Readonly<Record<DeedSeen['effect'], RegExp>>>> = {
  aws: {
    makes: /^CreateAccessKey$/,
    removes: /^DeleteAccessKey$/,
    other: /^(Create|Put|Update|Delete|Attach|Detach|Tag|Untag|Add|Remove)/,
  },
  database: {
    makes: /^CreateRole$/,
    removes: /^DropRole$/,
    other: /^(SetPassword|ExtendRole|DisableRole|JoinRole|EndSessions|EndPrepared|DropOwned)$/,
  },
  datadog: {
    makes: /^Create.*Key$/,
    removes: /^Delete.*Key$/,
    other: /^Update/,
  },
};
