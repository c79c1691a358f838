import { IntegrationError } from '../integration';
import type { Calls } from './calls';
import { kindsOf } from './deprovision';
import type { KeysHandle } from './handle';
import { findKeys } from './keys';

/** Datadog's keys know no expiry, so there is nothing to move: it is only made sure that they still exist. */
export async function extendKeys(calls: Calls, handle: KeysHandle): Promise<void> {
  for (const kind of kindsOf(handle)) {
    if ((await findKeys(calls, kind, handle.name)).length > 0) continue;
    throw new IntegrationError('NotFound', {
      operation: kind.list('', 0).operation,
      entity: handle.name,
      hint: `The lease's ${kind.what} is gone: it was deleted or renamed by other means.`,
    });
  }
}
