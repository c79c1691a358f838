import { Context } from '@temporalio/activity';
import { refuse } from './failures';

/**
 * The same activities, which refuse to be started alone: whoever may write to the namespace could have a line of their own put into
 * the audit log, or a notice sent, by a single command.
 */
export function forWorkflows<Activities extends object>(activities: Activities): Activities {
  const guarded = Object.entries(activities).map(([name, act]: [string, (...args: unknown[]) => unknown]) => [
    name,
    (...args: unknown[]) => {
      if (!Context.current().info.inWorkflow) throw refuse('InvalidInput', `${name} is run for workflows alone.`);
      return act(...args);
    },
  ]);
  return Object.fromEntries(guarded) as Activities;
}
