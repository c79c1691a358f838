import type { Actor } from './actor';
import { bulkRevoke } from './bulk-revoking';
import { moveEnd, revoke } from './changing';
import { issue, issueTooLong } from './issuing';
import { operate } from './operating';
import type { Operation } from './plan-types';

/**
 * Does an operation and writes down what came of it. Whatever a fault brings about is an answer and no error, and everything ends
 * within a time of its own. Answers false if there was no lease to do it with.
 */
export async function perform(actor: Actor, operation: Operation): Promise<boolean> {
  switch (operation.do) {
    case 'issue':
      await issue(actor, operation);
      return true;
    case 'issue-too-long':
      await issueTooLong(actor, operation.integration);
      return true;
    case 'extend':
    case 'shorten':
      return moveEnd(actor, operation);
    case 'revoke':
      return revoke(actor, operation);
    case 'bulk-revoke':
      return bulkRevoke(actor, operation.pick);
    case 'cancel':
    case 'terminate':
    case 'reset':
    case 'abandon':
      return operate(actor, operation);
    case 'reload':
      await actor.world.reload(operation.invalid);
      return true;
  }
}
