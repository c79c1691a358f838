import { isGrpcServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import type { OperatorService, WorkflowService } from '@temporalio/client';

/** What is needed of a connection. The client's and the worker's own kinds both have it. */
export interface TemporalService {
  readonly workflowService: WorkflowService;
  readonly operatorService?: OperatorService;
  withDeadline<T>(deadline: number | Date, call: () => Promise<T>): Promise<T>;
}

/** Longest wait for one short question to the server, retries included. In milliseconds. */
export const CALL_TIMEOUT_MS = 15_000;

const STATUS = {
  1: 'cancelled',
  3: 'invalidArgument',
  4: 'deadlineExceeded',
  5: 'notFound',
  6: 'alreadyExists',
  7: 'permissionDenied',
  8: 'resourceExhausted',
  9: 'failedPrecondition',
  12: 'unimplemented',
  14: 'unavailable',
  16: 'unauthenticated',
} as const;
export type GrpcStatus = (typeof STATUS)[keyof typeof STATUS] | 'other';

/** The words of the worker's own client for a status: its errors carry none when it could not connect. */
const IN_WORDS: readonly (readonly [string, GrpcStatus])[] = [
  ['does not have valid authentication credentials', 'unauthenticated'],
  ['does not have permission to execute the specified operation', 'permissionDenied'],
];

/** The gRPC status behind an error of the SDK; null if there is none. */
export function grpcStatusOf(error: unknown): GrpcStatus | null {
  // The SDK puts it in the place of the status.
  if (error instanceof NamespaceNotFoundError) return 'notFound';
  const source = error instanceof Error && !isGrpcServiceError(error) ? error.cause : error;
  if (!isGrpcServiceError(source)) return statusInWords(error);
  return (STATUS as Readonly<Record<number, GrpcStatus>>)[source.code] ?? 'other';
}

function statusInWords(error: unknown): GrpcStatus | null {
  if (!(error instanceof Error) || error.name !== 'TransportError') return null;
  return IN_WORDS.find(([words]) => error.message.includes(words))?.[1] ?? null;
}

/**
 * Why Temporal did not do what it was asked, in a sentence of our own: the error itself may hold metadata and is not repeated.
 */
export function explainFailure(error: unknown): string {
  switch (grpcStatusOf(error)) {
    case 'permissionDenied':
    case 'unauthenticated':
      return 'Temporal refused the access: check TEMPORAL_API_KEY or the client certificate, and their rights.';
    case 'notFound':
      return 'Temporal does not know the namespace or what was asked for: check TEMPORAL_NAMESPACE.';
    case 'resourceExhausted':
      return 'Temporal limits the rate of requests: try again later.';
    case 'deadlineExceeded':
    case 'cancelled':
      return 'Temporal did not answer in time.';
    case 'unavailable':
      return 'Temporal cannot be reached: check TEMPORAL_ADDRESS and TLS.';
    case 'invalidArgument':
    case 'failedPrecondition':
    case 'unimplemented':
      return 'Temporal does not accept the request: is the server as new as the client needs (1.26)?';
    case 'alreadyExists':
    case 'other':
    case null:
      return 'Temporal failed for a reason that is not repeated here: see the log of its server.';
  }
}
