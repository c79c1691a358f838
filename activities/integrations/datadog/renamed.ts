import { quote } from '../../../workflows/quote';
import { IntegrationError } from '../integration';
import type { Facts } from '../integration';
import type { Reader } from './calls';
import { isNotFound } from './errors';
import type { KeyKind } from './keys';
import { isUuid } from './uuid';

/** Id of the key of this kind that provision made; null: not told, or what is told is no id of Datadog's. */
export function toldId(facts: Facts, { idFact }: KeyKind): string | null {
  const id = facts[idFact];
  return id !== undefined && isUuid(id) ? id : null;
}

/**
 * To be asked once no key of the lease's name is left: whoever may change keys may have given the one that provision made another. It is
 * never deleted by its id, which comes from history, where anybody may have put that of any key.
 */
export async function assertNotRenamed(
  reader: Reader,
  kind: Pick<KeyKind, 'what' | 'nameOf'>,
  name: string,
  id: string,
): Promise<void> {
  const call = kind.nameOf(id);
  let found: string;
  try {
    found = await reader.read(call);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (found === name) {
    throw new IntegrationError('Unavailable', {
      operation: call.operation,
      entity: name,
      hint: `Datadog shows the ${kind.what} by its id, and yet does not list it.`,
    });
  }
  throw new IntegrationError('Refused', {
    operation: 'Removing',
    entity: name,
    hint:
      `The ${kind.what} ${id} that this lease made lives on under another name, ${show(found)}, and is not deleted under that: ` +
      `name it ${name} again, or delete it by hand. The lease then ends by itself.`,
  });
}

/** A name is whatever somebody typed, or pasted: what is as long as a key's value is left out. */
function show(name: string): string {
  return quote(name.replace(/\w{32,}/g, '…'));
}
