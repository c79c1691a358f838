import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { AuditError } from '../audit/writer';
import type { ApiSettings } from '../config/load';
import { writeAudit } from './audit';
import { boundDenials } from './denials';
import type { Denials } from './denials';
import type { ApiDeps } from './deps';
import { describeApi, isOurs } from './describe';
import { ApiError, errorBodyOf, refusal, toApiError } from './errors';
import { answerMalformed } from './malformed';
import { watchMethods } from './methods';
import { watchPipelined } from './pipelined';
import { createTrust } from './proxies';
import { createReach } from './reach';
import './request';
import { closeUnagreed, secured } from './tls';
import type { TlsFiles } from './tls';
import { createUnderWay } from './under-way';
import { acceptUnframedBodies } from './unframed';

export interface ApiOptions {
  /** Null: plain HTTP. */
  readonly tls: TlsFiles | null;
  /**
   * Asked at each request: it may be another one than before. Ten times as many requests for each source address as for each token,
   * or for each holder of an OIDC issuer.
   */
  readonly settings: () => Pick<ApiSettings, 'trustProxy' | 'requestsPerMinute'>;
  /** Longest time for receiving a request, not for answering it. Default: 10 s. */
  readonly requestTimeoutMs?: number;
  /** Which addresses are described. Default: those under /v1. */
  readonly isDescribed?: (url: string) => boolean;
}

/** A route group. */
export type Routes = (app: FastifyInstance, deps: ApiDeps) => void | Promise<void>;

const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const CHECK_EVERY_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;
const SOURCE_FACTOR = 10;
/** For requests that were on their way when the process was asked to stop. */
const LATECOMERS_MS = 2_000;
/** What Prometheus and the log are told of a request whose asker left before it was answered. */
const LEFT = 499;

/** The server with what all routes share: who asks, limits, errors, logs. It does not listen yet. */
export async function createServer(
  deps: ApiDeps,
  { tls, settings, requestTimeoutMs = REQUEST_TIMEOUT_MS, isDescribed = isOurs }: ApiOptions,
  groups: readonly Routes[],
): Promise<FastifyInstance> {
  const denials = boundDenials({ summarise: (source, count) => recordMore(deps, source, count) });
  const failed = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    fail(deps, denials, error, request, reply);
  const bounds = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: CHECK_EVERY_MS,
  };
  const unframed = acceptUnframedBodies(answerMalformed(deps.logger));
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    clientErrorHandler: unframed.onClientError,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      mark(request, reply);
      void failed(error, request, reply);
    },
    trustProxy: createTrust(() => settings().trustProxy),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    ...(tls === null
      ? { http: bounds }
      : { https: { ...secured(tls), ...bounds, handshakeTimeout: requestTimeoutMs } }),
  } as object) as unknown as FastifyInstance;
  closeUnagreed(app);
  watchPipelined(app);
  unframed.install(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Whatever is no JSON is refused by its type.
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('identity', null);
  app.setErrorHandler(failed);
  app.setNotFoundHandler(() => {
    // Without the address: people put tokens into addresses.
    throw refusal(404, 'not_found', 'There is nothing at this address. GET /v1/openapi.json describes what there is.');
  });
  await app.register(helmet, {
    global: true,
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    crossOriginResourcePolicy: false,
    hsts: tls !== null,
  });
  await app.register(rateLimit, { global: false, timeWindow: '1 minute' });
  const limitSource = app.createRateLimit({ max: () => settings().requestsPerMinute * SOURCE_FACTOR });
  const limitToken = app.createRateLimit({
    max: () => settings().requestsPerMinute,
    // Of an OIDC issuer each holder has its own.
    keyGenerator: ({ identity, ip }: FastifyRequest) =>
      identity === null ? ip : `${identity.tokenId} ${identity.holder}`,
  });
  const keep = async (limit: typeof limitToken, request: FastifyRequest): Promise<void> => {
    const found = await limit(request);
    if (!found.isAllowed && found.isExceeded) throw tooMany(found.ttlInSeconds);
  };

  const underWay = createUnderWay();
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    const closingSince = performance.now();
    // Node's own time-outs end with its listening: whoever never sends anything, or never all of it, would be waited for.
    const cutRest = async (): Promise<void> => {
      await underWay.idle();
      app.server.closeAllConnections();
    };
    setTimeout(() => void cutRest(), LATECOMERS_MS).unref();
    setTimeout(() => {
      underWay.dropStalled(closingSince);
    }, requestTimeoutMs).unref();
    done();
  });
  app.addHook('onClose', async () => {
    await underWay.idle();
    await denials.close();
  });
  app.addHook('onRequest', async (request, reply) => {
    mark(request, reply);
    underWay.begin(request, reply);
    reply.raw.once('close', () => {
      log(deps, request, reply);
    });
    const { open, unlimited } = request.routeOptions.config;
    if (isClosing) throw closing();
    if (unlimited !== true) await keep(limitSource, request);
    if (open === true || request.is404) return;
    request.identity = await deps.authenticate(request.headers.authorization);
    await keep(limitToken, request);
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    underWay.handled(request);
    // Else the client would send its next request to a process that is about to end.
    if (isClosing || deps.isLeaving?.() === true) void reply.header('connection', 'close');
    done();
  });
  const reachTemporal = createReach(deps);
  app.addHook('preHandler', async (request) => {
    if (request.routeOptions.config.needsTemporal === true) await reachTemporal();
  });
  await describeApi(app, isDescribed);
  const refuseOtherMethods = watchMethods(app);
  for (const routes of groups) await routes(app, deps);
  refuseOtherMethods();
  return app;
}

function mark(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('x-request-id', request.id).header('cache-control', 'no-store');
}

function closing(): ApiError {
  return new ApiError(503, 'shutting_down', 'This process is about to end. Send the request again.', {}, 1);
}

function tooMany(ttlInSeconds: number): ApiError {
  const seconds = Math.max(1, ttlInSeconds);
  return new ApiError(429, 'rate_limited', `Too many requests. Try again in ${seconds} s.`, {}, seconds);
}

/** Every error of every route ends here. */
async function fail(
  deps: ApiDeps,
  denials: Denials,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const told = fromFramework(error) ?? toApiError(error);
  if (told.code === 'internal') deps.logger.error({ error, requestId: request.id }, 'A request failed unforeseen.');
  if ((error as Error) instanceof AuditError) {
    deps.logger.error({ error, requestId: request.id }, 'A request was refused: its line is not in the audit log.');
  }
  const isDenied = told.status === 403 || (told.status === 401 && denials.note(request.ip));
  if (isDenied && !request.is404) {
    // The refusal stands even where it cannot be written down.
    await writeAudit(
      deps,
      request,
      'denied',
      { reason: `${told.code}: ${told.message}` },
      { route: routeOf(request) },
    ).catch((failure: unknown) => {
      deps.logger.error({ error: failure, requestId: request.id }, 'A denial is not in the audit log.');
    });
  }
  if (told.retryAfter !== null) void reply.header('retry-after', told.retryAfter);
  return reply.status(statusOf(told, request)).send(errorBodyOf(told, request.id));
}

function statusOf({ status }: ApiError, request: FastifyRequest): number {
  const { failsAs403, mayLease } = request.routeOptions.config;
  if (status !== 401 && status !== 404 && failsAs403?.(request) === true) return 403;
  return (status === 500 || status === 503) && mayLease === true ? 502 : status;
}

/** One line for the refusals that got none of their own. */
async function recordMore({ audit, logger }: ApiDeps, source: string | null, count: number): Promise<void> {
  const reason = `unauthenticated: ${count} more within a minute.`;
  await audit
    .write({ id: `${randomUUID()}/denied`, event: 'denied', reason, details: { tokenId: null, source, count } })
    .catch((error: unknown) => {
      logger.error({ error }, 'Denials are not in the audit log.');
    });
}

/** What the framework refuses by itself, in our words; null: it is none of its refusals. */
function fromFramework(error: FastifyError): ApiError | null {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const path = (first?.instancePath ?? '').split('/').filter((part) => part !== '');
    const field = path.join('.').slice(0, 100);
    const where = error.validationContext === 'querystring' ? 'query' : (error.validationContext ?? 'request');
    return refusal(
      400,
      'invalid_input',
      `${field === '' ? `The ${where}` : field} is not what is expected: ${first?.message ?? 'it is malformed'}.`,
      field === '' ? {} : { field },
    );
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refusal(
        413,
        'payload_too_large',
        `The body is larger than the ${MAX_BODY_BYTES / 1024} KiB that are read.`,
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refusal(415, 'unsupported_media_type', 'The body must be JSON, with "Content-Type: application/json".');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return refusal(400, 'invalid_input', 'A name in the address is longer than any that there is.');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refusal(400, 'invalid_input', 'The body is no JSON.');
    default:
      return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
        ? refusal(error.statusCode, 'invalid_input', `${STATUS_CODES[error.statusCode] ?? 'The request is malformed'}.`)
        : null;
  }
}

/** Once for each request, also for those whose asker has left. */
function log({ logger, metrics }: ApiDeps, request: FastifyRequest, reply: FastifyReply): void {
  const status = reply.raw.writableFinished ? reply.statusCode : LEFT;
  metrics.answered(request.routeOptions.url ?? 'none', request.method, status, reply.elapsedTime);
  logger.info(
    {
      requestId: request.id,
      route: routeOf(request),
      status,
      ms: Math.round(reply.elapsedTime),
      tokenId: request.identity?.tokenId ?? null,
      source: request.ip,
    },
    status === LEFT ? 'left unanswered' : 'answered',
  );
}

/** The pattern, not the address: what a caller puts into it is not ours to log. */
export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? 'none'}`;
}
