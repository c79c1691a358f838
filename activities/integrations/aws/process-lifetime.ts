import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';

const lifetimes = new AsyncLocalStorage<number>();

// The SDK runs what a profile names as `credential_process` without a limit, and hands the process to nobody.
subscribe('child_process', (message) => {
  const lifetimeMs = lifetimes.getStore();
  if (lifetimeMs === undefined) return;
  const { process: child } = message as { readonly process: ChildProcess };
  const timer = setTimeout(() => {
    // Without a pid it was never started.
    if (child.pid !== undefined) end(child.pid);
  }, lifetimeMs).unref();
  child.once('exit', () => {
    clearTimeout(timer);
  });
});

/** Ends each process that is started on the way, with those that it started, when it has run for so many milliseconds. */
export function endProcessesAfter<T>(lifetimeMs: number, act: () => Promise<T>): Promise<T> {
  return lifetimes.run(lifetimeMs, act);
}

/** A command runs in a shell, which need not take it along when it is killed. */
function end(pid: number): void {
  const children = childrenOf(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
  children.forEach(end);
}

function childrenOf(pid: number): number[] {
  try {
    return (readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? []).map(Number);
  } catch {
    // Elsewhere than on Linux shells mostly become the command that they run.
    return [];
  }
}
