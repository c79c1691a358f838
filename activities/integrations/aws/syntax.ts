// What IAM accepts, so that a mistake is refused where it is written and not by the provider an hour later.

/** User, group and session names. */
export const NAME = /^[A-Za-z0-9+=,.@_-]+$/;

/** Id of an access key, of whatever kind. */
export const ACCESS_KEY_ID = /^\w{16,128}$/;

/** A path: begins and ends with a slash, printable ASCII in between. */
export const PATH = /^\/(?:[\x21-\x7e]+\/)?$/;

/** Characters a policy document may hold. */
export const POLICY_TEXT = /^[\t\n\r\x20-\u00ff]+$/;

/** ARN of a managed policy, in any partition, of AWS or of an account. */
export const POLICY_ARN = /^arn:[a-z][a-z0-9-]*:iam::(?:aws|\d{12}):policy\/[\x21-\x7e]+$/;

/** ARN of a role, in any partition. */
export const ROLE_ARN = /^arn:[a-z][a-z0-9-]*:iam::\d{12}:role\/[\x21-\x7e]+$/;

/** Serial number of a virtual MFA device: an ARN, where a hardware token has a plain serial. */
export const VIRTUAL_MFA = /^arn:[a-z][a-z0-9-]*:iam::\d{12}:mfa\//;

export const MAX_USER_NAME = 64;
export const MAX_PATH = 512;
export const MAX_ARN = 2_048;
export const MAX_GROUP_NAME = 128;

/** All inline policies of one user together, whitespace not counted. */
export const MAX_INLINE_POLICIES = 2_048;

/** How IAM counts a policy document. */
export function countPolicyCharacters(document: string): number {
  return document.replace(/\s/g, '').length;
}
