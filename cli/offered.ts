import type { HttpLeases, OfferedSecret } from '../client/http';
import type { Place } from './access';
import { UsageError } from './exit';

/** What is to be leased, looked up before anything is made. @throws UsageError if the token sees no such thing. */
export async function requireOffered(
  leases: HttpLeases,
  { project, config }: Place,
  dynamicSecret: string,
): Promise<OfferedSecret> {
  const offered = await leases.offered(project, config);
  const found = offered.find((each) => each.dynamicSecret === dynamicSecret);
  if (found !== undefined) return found;
  throw new UsageError(
    `There is no dynamic secret ${JSON.stringify(dynamicSecret)} in ${JSON.stringify(`${project}/${config}`)}, or the token may not see it.`,
  );
}
