import { allOrNone } from '../../dev/all-or-none';
import type { BenchTools } from '../bench';
import { startDeployment } from '../deployment';
import type { Deployment, Limits } from '../deployment';
import { startOpenBao } from '../openbao';
import type { Open } from '../opened';
import type { Orchestrator, Provider } from '../provider';
import { connectLeasehold } from './leasehold-party';
import { askOpenBao } from './openbao-party';
import type { Party } from './party';

export interface PartiesOptions {
  readonly directory: string;
  readonly tools: BenchTools;
  readonly provider: Provider;
  /** Where both reach PostgreSQL. Default: the provider itself. */
  readonly reach?: { readonly host: string; readonly port: number };
  /** Of OpenBao's leases, where none is asked for. */
  readonly ttl: string;
  /** To PostgreSQL at most. Default: what each has that is not told. */
  readonly connections?: number;
  /** Of Leasehold. Default: {@link ROOMY_LIMITS}. null: those of a configuration that names none. */
  readonly limits?: Limits | null;
  /** Of Leasehold, an integration for each. Default: the provider's own. */
  readonly orchestrators?: readonly Orchestrator[];
}

/** Starts Leasehold and OpenBao beside each other, on one provider. */
export async function openParties(
  open: Open,
  { directory, tools, provider, reach, ttl, connections, limits, orchestrators }: PartiesOptions,
): Promise<{ readonly leasehold: Party; readonly bao: Party; readonly deployment: Deployment }> {
  const common = { directory, provider, ...(reach === undefined ? {} : { reach }) };
  const { parts } = await open(
    allOrNone({
      leasehold: startDeployment({
        ...common,
        tools,
        ...(limits === undefined ? {} : { limits }),
        ...(orchestrators === undefined ? {} : { orchestrators }),
        ...(connections === undefined ? {} : { poolSize: connections }),
      }),
      bao: startOpenBao({
        ...common,
        binary: tools.bao,
        ttl,
        ...(connections === undefined ? {} : { maxOpenConnections: connections }),
      }),
    }),
    (opened) => opened.stop(),
  );
  const leasehold = await open(connectLeasehold(parts.leasehold), (opened) => opened.close());
  return { leasehold, bao: askOpenBao(parts.bao), deployment: parts.leasehold };
}
