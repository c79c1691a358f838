import { randomBytes } from 'node:crypto';
import {
  cutPage,
  cutPageByName,
  errorAnswer,
  readElement,
  replaceElement,
  replaceSummary,
  resultAnswer,
  s3ErrorAnswer,
} from './aws-answers';
import type { Answer } from './fault-proxy';

/** What is asked, as far as the rules need to know it. */
export interface StrictCall {
  /** IAM's or STS's action, or `<method> <path>` for everything else. */
  readonly operation: string;
  readonly parameters: URLSearchParams;
  readonly accessKeyId: string | null;
}

/** How full the account is, where a test wants that to matter. */
export interface AwsAccount {
  /** Users that are there already, besides those made through the proxy. */
  readonly users: number;
  /** How many users it may hold in all. */
  readonly usersQuota: number;
}

/** Rights that are granted on users under a path. */
export interface PathScope {
  /** Operations that are granted on the users' names without the path as well. */
  readonly byName: readonly string[];
}

/** IAM's rules that the emulator does not know, and the state they need. */
export interface Strictness {
  /** The answer IAM would give at once, or null: ask the emulator. */
  before(call: StrictCall): Answer | null;
  /** Takes note of what the emulator did and mends its answer. */
  after(call: StrictCall, status: number, body: string): string;
  /** Name of the user whose key that is; null: a key that was not made through the proxy. */
  ownerOf(accessKeyId: string | null): string | null;
  /** From now on; undefined: as the emulator says, and without end. */
  setAccount(account: AwsAccount | undefined): void;
  /** From now on; undefined: everything is granted on every user. */
  setPathScope(scope: PathScope | undefined): void;
}

interface TrackedUser {
  name: string;
  readonly boundary: string | null;
  readonly keys: Set<string>;
  readonly groups: Set<string>;
  readonly policies: Set<string>;
  readonly devices: Set<string>;
  readonly sshKeys: Set<string>;
  readonly certificates: Set<string>;
  readonly serviceCredentials: Set<string>;
  readonly inline: Map<string, number>;
  loginProfile: boolean;
}

const LISTS: Readonly<Record<string, string>> = {
  ListAccessKeys: 'AccessKeyMetadata',
  ListAttachedUserPolicies: 'AttachedPolicies',
  ListUserPolicies: 'PolicyNames',
  ListGroupsForUser: 'Groups',
  ListMFADevices: 'MFADevices',
  ListSSHPublicKeys: 'SSHPublicKeys',
  ListSigningCertificates: 'Certificates',
};

/** The one list of these where the emulator itself starts at the marker. */
const HEEDS_MARKER: readonly string[] = ['ListAttachedUserPolicies'];

/** Decided without a look at the user: by what the call brings along, or on the group. */
const NOT_ON_USERS: readonly string[] = ['CreateUser', 'AddUserToGroup', 'RemoveUserFromGroup'];

/** Of any session, in seconds. */
const SHORTEST_SESSION = 900;
const MAX_SESSION_POLICY = 2_048;

const MAX_INLINE = 2_048;
const MAX_GROUPS = 10;
const MAX_POLICIES = 10;

/** @param longestSession what every role allows, in seconds. */
export function createStrictness(pageSize: number, longestSession: number, given?: AwsAccount): Strictness {
  let account = given;
  let scope: PathScope | undefined;
  const users = new Map<string, TrackedUser>();
  /** Calls that the emulator was asked to make a user by and has not answered: they take room already. */
  const making = new Set<StrictCall>();
  const inactive = new Set<string>();
  const owners = new Map<string, TrackedUser>();
  const find = (parameters: URLSearchParams) => users.get((parameters.get('UserName') ?? '').toLowerCase());

  function before(call: StrictCall): Answer | null {
    const { operation, parameters, accessKeyId } = call;
    if (accessKeyId !== null && inactive.has(accessKeyId)) {
      return operation.includes(' ')
        ? s3ErrorAnswer(403, 'InvalidAccessKeyId')
        : errorAnswer(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    }
    const user = find(parameters);
    if (user === undefined && parameters.has('UserName') && !isGrantedOnAbsent(operation)) {
      return errorAnswer(403, 'AccessDenied', `User is not authorized to perform: iam:${operation}`);
    }
    switch (operation) {
      case 'CreateUser':
        return user === undefined
          ? (checkNewUser(parameters) ?? takeRoom(call))
          : errorAnswer(409, 'EntityAlreadyExists', `User with name ${user.name} already exists.`);
      case 'AssumeRole':
        return checkSession(parameters, longestSession);
      case 'TagUser':
        return checkTags(parameters);
      case 'PutUserPolicy':
        return checkPolicyName(parameters) ?? (user === undefined ? null : checkInlineSize(user, parameters));
      case 'AddUserToGroup':
        return checkRoom(user?.groups, parameters.get('GroupName'), MAX_GROUPS, 'GroupsPerUser');
      case 'AttachUserPolicy':
        return checkRoom(user?.policies, parameters.get('PolicyArn'), MAX_POLICIES, 'PoliciesPerUser');
      case 'DeleteUser':
        return user === undefined ? null : checkEmpty(user);
      case 'GetAccessKeyLastUsed':
        return checkKey(owners.get(parameters.get('AccessKeyId') ?? ''), parameters);
      case 'CreateServiceSpecificCredential':
      case 'ListServiceSpecificCredentials':
      case 'DeleteServiceSpecificCredential':
        return answerServiceCredentials(operation, parameters, user);
      default:
        return null;
    }
  }

  /** IAM does not know the path of a user that does not exist and takes it to be `/`. */
  function isGrantedOnAbsent(operation: string): boolean {
    return scope === undefined || NOT_ON_USERS.includes(operation) || scope.byName.includes(operation);
  }

  function takeRoom(call: StrictCall): Answer | null {
    if (account !== undefined && account.users + users.size + making.size >= account.usersQuota) {
      return errorAnswer(409, 'LimitExceeded', `Cannot exceed quota for UsersPerAccount: ${account.usersQuota}`);
    }
    making.add(call);
    return null;
  }

  function after(call: StrictCall, status: number, body: string): string {
    making.delete(call);
    if (status >= 300) return body;
    const { operation, parameters } = call;
    note(operation, parameters, body);
    if (operation === 'GetAccountSummary' && account !== undefined) {
      return replaceSummary(body, { Users: account.users + users.size, UsersQuota: account.usersQuota });
    }
    if (operation === 'ListUsers') {
      const size = Math.min(Number(parameters.get('MaxItems') ?? pageSize), pageSize);
      return cutPageByName(body, { list: 'Users', name: 'UserName', after: parameters.get('Marker') ?? '', size });
    }
    if (operation === 'GetAccessKeyLastUsed') {
      // The emulator goes on naming the owner as it was called when the key was made.
      const owner = owners.get(parameters.get('AccessKeyId') ?? '');
      return owner === undefined ? body : replaceElement(body, 'UserName', owner.name);
    }
    const list = LISTS[operation];
    if (list !== undefined) {
      const asked = Number(parameters.get('MaxItems') ?? pageSize);
      const start = Number(parameters.get('Marker') ?? 0);
      const skipped = HEEDS_MARKER.includes(operation) ? start : 0;
      return cutPage(body, list, { start, size: Math.min(asked, pageSize), skipped });
    }
    const boundary = find(parameters)?.boundary ?? null;
    if (!['GetUser', 'CreateUser'].includes(operation) || boundary === null) return body;
    const element =
      '<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>' +
      `<PermissionsBoundaryArn>${boundary}</PermissionsBoundaryArn></PermissionsBoundary>`;
    return body.replace('</User>', `${element}</User>`);
  }

  function note(operation: string, parameters: URLSearchParams, body: string): void {
    const of = (name: string) => parameters.get(name) ?? '';
    if (operation === 'CreateUser') {
      const name = of('UserName');
      users.set(name.toLowerCase(), trackUser(name, parameters.get('PermissionsBoundary')));
      return;
    }
    if (operation === 'DeleteUser') users.delete(of('UserName').toLowerCase());
    if (operation === 'UpdateAccessKey') {
      if (of('Status') === 'Inactive') inactive.add(of('AccessKeyId'));
      else inactive.delete(of('AccessKeyId'));
    }
    const user = find(parameters);
    if (user === undefined) return;
    if (operation === 'UpdateUser' && parameters.has('NewUserName')) {
      users.delete(user.name.toLowerCase());
      user.name = of('NewUserName');
      users.set(user.name.toLowerCase(), user);
    }
    if (operation === 'CreateAccessKey') owners.set(readElement(body, 'AccessKeyId') ?? '', user);
    const notes: Readonly<Record<string, () => unknown>> = {
      CreateAccessKey: () => user.keys.add(readElement(body, 'AccessKeyId') ?? ''),
      DeleteAccessKey: () => user.keys.delete(of('AccessKeyId')),
      AddUserToGroup: () => user.groups.add(of('GroupName')),
      RemoveUserFromGroup: () => user.groups.delete(of('GroupName')),
      AttachUserPolicy: () => user.policies.add(of('PolicyArn')),
      DetachUserPolicy: () => user.policies.delete(of('PolicyArn')),
      CreateLoginProfile: () => (user.loginProfile = true),
      DeleteLoginProfile: () => (user.loginProfile = false),
      EnableMFADevice: () => user.devices.add(of('SerialNumber')),
      DeactivateMFADevice: () => user.devices.delete(of('SerialNumber')),
      UploadSSHPublicKey: () => user.sshKeys.add(readElement(body, 'SSHPublicKeyId') ?? ''),
      DeleteSSHPublicKey: () => user.sshKeys.delete(of('SSHPublicKeyId')),
      UploadSigningCertificate: () => user.certificates.add(readElement(body, 'CertificateId') ?? ''),
      DeleteSigningCertificate: () => user.certificates.delete(of('CertificateId')),
      PutUserPolicy: () => user.inline.set(of('PolicyName'), countCharacters(of('PolicyDocument'))),
      DeleteUserPolicy: () => user.inline.delete(of('PolicyName')),
    };
    notes[operation]?.();
  }

  return {
    before,
    after,
    ownerOf: (accessKeyId) => (accessKeyId === null ? null : (owners.get(accessKeyId)?.name ?? null)),
    setAccount: (changed) => {
      account = changed;
    },
    setPathScope: (changed) => {
      scope = changed;
    },
  };
}

function trackUser(name: string, boundary: string | null): TrackedUser {
  return {
    name,
    boundary,
    keys: new Set(),
    groups: new Set(),
    policies: new Set(),
    devices: new Set(),
    sshKeys: new Set(),
    certificates: new Set(),
    serviceCredentials: new Set(),
    inline: new Map(),
    loginProfile: false,
  };
}

function checkNewUser(parameters: URLSearchParams): Answer | null {
  if (!/^[\w+=,.@-]{1,64}$/.test(parameters.get('UserName') ?? '')) return invalid('userName');
  const path = parameters.get('Path') ?? '/';
  if (path.length > 512 || !/^\/(?:[\x21-\x7e]+\/)?$/.test(path)) return invalid('path');
  return checkTags(parameters);
}

function checkTags(parameters: URLSearchParams): Answer | null {
  const keys = new Set<string>();
  for (let number = 1; parameters.has(`Tags.member.${number}.Key`); number += 1) {
    const key = parameters.get(`Tags.member.${number}.Key`) ?? '';
    const value = parameters.get(`Tags.member.${number}.Value`) ?? '';
    const legal = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
    if (!legal.test(key) || key.length > 128 || key.toLowerCase().startsWith('aws:')) return invalid('tags');
    if (!legal.test(value) || value.length > 256) return invalid('tags');
    if (keys.has(key.toLowerCase())) return errorAnswer(400, 'InvalidInput', 'Duplicate tag keys found.');
    keys.add(key.toLowerCase());
  }
  return keys.size > 50 ? errorAnswer(409, 'LimitExceeded', 'Too many tags.') : null;
}

function checkSession(parameters: URLSearchParams, longest: number): Answer | null {
  const seconds = Number(parameters.get('DurationSeconds') ?? 3_600);
  const isLong = Number.isInteger(seconds) && seconds >= SHORTEST_SESSION && seconds <= longest;
  const message = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.';
  if (!isLong) return errorAnswer(400, 'ValidationError', message);
  if (!/^[\w+=,.@-]{2,64}$/.test(parameters.get('RoleSessionName') ?? '')) return invalid('roleSessionName');
  if ((parameters.get('Policy') ?? '').length > MAX_SESSION_POLICY) return invalid('policy');
  return parameters.has('PolicyArns.member.11.arn') ? invalid('policyArns') : checkTags(parameters);
}

function checkPolicyName(parameters: URLSearchParams): Answer | null {
  return /^[\w+=,.@-]{1,128}$/.test(parameters.get('PolicyName') ?? '') ? null : invalid('policyName');
}

/** What is there already may be put there again. */
function checkRoom(
  held: ReadonlySet<string> | undefined,
  wanted: string | null,
  most: number,
  quota: string,
): Answer | null {
  if (held === undefined || wanted === null || held.has(wanted) || held.size < most) return null;
  return errorAnswer(409, 'LimitExceeded', `Cannot exceed quota for ${quota}: ${most}`);
}

function checkInlineSize(user: TrackedUser, parameters: URLSearchParams): Answer | null {
  const sizes = new Map(user.inline).set(
    parameters.get('PolicyName') ?? '',
    countCharacters(parameters.get('PolicyDocument') ?? ''),
  );
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total <= MAX_INLINE) return null;
  return errorAnswer(409, 'LimitExceeded', `Maximum policy size of ${MAX_INLINE} bytes exceeded for user ${user.name}`);
}

/** The emulator goes on showing a key that is deleted under its owner's new name. */
function checkKey(owner: TrackedUser | undefined, parameters: URLSearchParams): Answer | null {
  if (owner === undefined || owner.keys.has(parameters.get('AccessKeyId') ?? '')) return null;
  return errorAnswer(404, 'NoSuchEntity', 'The Access Key cannot be found.');
}

function checkEmpty(user: TrackedUser): Answer | null {
  const { keys, groups, devices, sshKeys, certificates, serviceCredentials, inline, loginProfile } = user;
  const attached = [keys, groups, devices, sshKeys, certificates, serviceCredentials, inline].some(
    ({ size }) => size > 0,
  );
  if (!attached && !loginProfile) return null;
  return errorAnswer(409, 'DeleteConflict', 'Cannot delete entity, must remove referenced objects first.');
}

function answerServiceCredentials(
  operation: string,
  parameters: URLSearchParams,
  user: TrackedUser | undefined,
): Answer {
  const id = parameters.get('ServiceSpecificCredentialId') ?? '';
  if (user === undefined) return errorAnswer(404, 'NoSuchEntity', 'The user cannot be found.');
  if (operation === 'ListServiceSpecificCredentials') {
    const members = [...user.serviceCredentials].map((each) => `<member>${describeCredential(user, each)}</member>`);
    return resultAnswer(operation, `<ServiceSpecificCredentials>${members.join('')}</ServiceSpecificCredentials>`);
  }
  if (operation === 'CreateServiceSpecificCredential') {
    const made = `ACCA${randomBytes(8).toString('hex').toUpperCase()}`;
    user.serviceCredentials.add(made);
    const element = 'ServiceSpecificCredential';
    return resultAnswer(operation, `<${element}>${describeCredential(user, made)}</${element}>`);
  }
  return user.serviceCredentials.delete(id)
    ? resultAnswer(operation, '')
    : errorAnswer(404, 'NoSuchEntity', 'The credential cannot be found.');
}

function describeCredential(user: TrackedUser, id: string): string {
  return (
    `<ServiceSpecificCredentialId>${id}</ServiceSpecificCredentialId><UserName>${user.name}</UserName>` +
    '<ServiceName>codecommit.amazonaws.com</ServiceName><Status>Active</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate>'
  );
}

function countCharacters(document: string): number {
  return document.replace(/\s/g, '').length;
}

function invalid(field: string): Answer {
  return errorAnswer(400, 'ValidationError', `The specified value for ${field} is invalid.`);
}
