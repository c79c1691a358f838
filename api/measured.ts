import { LeaseError } from '../client/leases';
import type { IssueRequest } from '../client/leases';
import type { LeaseService } from '../client/service';
import { findDynamicSecret } from '../config/load';
import type { Config } from '../config/load';
import type { Expected, IssueOutcome } from '../telemetry/metrics';
import { LEASE_FAILURE_TYPES } from '../workflows/words';
import type { ApiDeps } from './deps';
import { toApiError } from './errors';

const UNFORESEEN = 'Unforeseen';
/** Of an issue. */
const FAILURES: readonly string[] = [...LEASE_FAILURE_TYPES, 'SealingFailed', 'Aborted', UNFORESEEN];

/** What an API may come to count. */
export function expectedOf({ integrations }: Config): Expected {
  return { issues: { integrations: Object.keys(integrations), failures: FAILURES } };
}

type Wanted = Pick<IssueRequest, 'project' | 'config' | 'dynamicSecret'>;

/** The same, and each issue is timed from when the API begins with it to its credential or its failure, whoever speaks which wire format. */
export function measured(deps: ApiDeps): ApiDeps {
  const { leases, metrics, config } = deps;
  const time = async <T>({ project, config: name, dynamicSecret }: Wanted, issue: () => Promise<T>): Promise<T> => {
    const found = findDynamicSecret(config(), project, name, dynamicSecret);
    const integration = found.ok ? found.dynamicSecret.integration : null;
    const begun = performance.now();
    const answered = (outcome: IssueOutcome, type: string | null): void => {
      metrics.issueAnswered(integration, outcome, type, performance.now() - begun);
    };
    try {
      const result = await issue();
      answered('issued', null);
      return result;
    } catch (error) {
      answered(outcomeOf(error), error instanceof LeaseError ? error.code : UNFORESEEN);
      throw error;
    }
  };
  const timed: LeaseService = {
    ...leases,
    issue: (request) => time(request, () => leases.issue(request)),
    issueSealed: (request) => time(request, () => leases.issueSealed(request)),
  };
  return { ...deps, leases: timed };
}

function outcomeOf(error: unknown): IssueOutcome {
  const code = error instanceof LeaseError ? error.code : null;
  if (code === 'Aborted') return 'left';
  return code === 'Throttled' || toApiError(error).status >= 500 ? 'failed' : 'refused';
}
