import type { HttpLeases, OfferedSecret } from '../client/http';
import type { Place } from './access';
import { LeaseError } from '../client/http';
import { UsageError } from './exit';

/** What is to be leased, looked up before anything is made. @throws UsageError if the token sees no such thing, LeaseError if it sees nothing at all there. */
export async function requireOffered(
  leases: HttpLeases,
  { project, config }: Place,
  dynamicSecret: string,
): Promise<OfferedSecret> {
  const offered = await leases.offered(project, config);
  const found = offered.find((each) => each.dynamicSecret === dynamicSecret);
  if (found !== undefined) return found;
  const where = JSON.stringify(`${project}/${config}`);
  if (offered.length === 0) {
    throw new LeaseError(
      'NotFound',
      `There is nothing to lease in ${where}, no such config, or the token may not see it.`,
    );
  }
  throw new UsageError(
    `There is no dynamic secret ${JSON.stringify(dynamicSecret)} in ${where}, or the token may not see it.`,
  );
}
