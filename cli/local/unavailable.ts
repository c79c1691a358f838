import { TemporalError } from '../../temporal/connection';
import { MissingSearchAttributes } from '../../temporal/search-attributes';
import { UnavailableError } from '../exit';

/** Runs what needs Temporal. @throws UnavailableError with the sentence of whatever of it is not there. */
export async function needingTemporal<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isOurs = error instanceof TemporalError || error instanceof MissingSearchAttributes;
    throw isOurs ? new UnavailableError(error.message) : error;
  }
}
