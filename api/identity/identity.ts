import type { KeyObject } from 'node:crypto';
import type { Right, Scope } from '../../config/load';

/** Who stands behind a request. */
export interface Identity {
  /** What audit lines and logs call it: `token/ci-deploy`, `oidc/github`. Never the token. */
  readonly tokenId: string;
  /** `<issuer alias>:<subject>`: whose leases they are. */
  readonly holder: string;
  readonly rights: ReadonlySet<Right>;
  /** Where it may act; none: nowhere. */
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  /** From which key pairs of idempotent issues are derived; null where a token is another one each time. */
  readonly secret: KeyObject | null;
}

/** Whether an identity may act in a config, or, without one, anywhere in the project. */
export function isInScope({ scopes }: Identity, project: string, config?: string): boolean {
  return scopes.some(
    (scope) =>
      (scope.project === '*' || scope.project === project) &&
      (config === undefined || scope.config === '*' || scope.config === config),
  );
}
