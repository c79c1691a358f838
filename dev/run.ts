import { InstallError } from './python-environment';
import { PrerequisiteError } from './prerequisites';
import { StartError } from './process';
import { say } from './story';

/**
 * Runs a program of the development stack and answers its exit code: an error is told in one sentence. Ctrl-C aborts the
 * signal once; whoever asks twice ends at once, and what was started ends with us.
 */
export async function runProgram(program: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  try {
    return await program(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) say(describe(error));
    return controller.signal.aborted ? 130 : 1;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, interrupt);
  }
}

function describe(error: unknown): string {
  if (error instanceof PrerequisiteError || error instanceof InstallError || error instanceof StartError) {
    return error.message;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : 'It failed for an unknown reason.';
}
