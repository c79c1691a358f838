import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { AuditError } from '../audit/writer';
import { describeError } from '../telemetry/logger';
import { writeAudit } from './audit';
import type { ApiDeps } from './deps';
import { ApiError, errorBodyOf, refusal, toApiError } from './errors';
import './request';

export interface ApiOptions {
  /** PEM of the certificate chain and of its key; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Addresses of proxies whose `X-Forwarded-For` is believed; none: nobody's. */
  readonly trustProxy: readonly string[];
  /** For each token; ten times as many for each source address. */
  readonly requestsPerMinute: number;
}

/** A route group. */
export type Routes = (app: FastifyInstance, deps: ApiDeps) => void | Promise<void>;

const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** For receiving a request, not for answering it. */
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
const SOURCE_FACTOR = 10;

/** The server with what all routes share: who asks, limits, errors, logs. It does not listen yet. */
export async function createServer(
  deps: ApiDeps,
  { tls, trustProxy, requestsPerMinute }: ApiOptions,
  groups: readonly Routes[],
): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    ...(tls === null ? {} : { https: { ...tls, minVersion: 'TLSv1.2', maxHeaderSize: MAX_HEADER_BYTES } }),
  } as object) as unknown as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('identity', null);
  app.setErrorHandler((error: FastifyError, request, reply) => fail(deps, error, request, reply));
  app.setNotFoundHandler((request) => {
    throw refusal(404, 'not_found', `There is no ${request.method} ${shown(request.url)} here.`);
  });
  await app.register(helmet, { global: true, crossOriginResourcePolicy: false });
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('cache-control', 'no-store');
    done();
  });
  await app.register(rateLimit, {
    global: true,
    hook: 'onRequest',
    timeWindow: '1 minute',
    max: requestsPerMinute * SOURCE_FACTOR,
    errorResponseBuilder: tooMany,
  });
  const limitToken = app.createRateLimit({
    timeWindow: '1 minute',
    max: requestsPerMinute,
    keyGenerator: ({ identity, ip }: FastifyRequest) => identity?.tokenId ?? ip,
  });
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.open === true || request.is404) return;
    request.identity = await deps.authenticate(request.headers.authorization);
    const limit = await limitToken(request);
    if (!limit.isAllowed && limit.isExceeded) throw tooMany(request, { ttl: limit.ttl });
  });
  app.addHook('onResponse', (request, reply, done) => {
    log(deps, request, reply);
    done();
  });
  for (const routes of groups) await routes(app, deps);
  return app;
}

function tooMany(_: unknown, { ttl }: { readonly ttl: number }): ApiError {
  const seconds = Math.max(1, Math.ceil(ttl / 1_000));
  return new ApiError(429, 'rate_limited', `Too many requests. Try again in ${seconds} s.`, {}, seconds);
}

/** Every error of every route ends here. */
async function fail(
  deps: ApiDeps,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const told = fromFramework(error) ?? toApiError(error);
  if (told.code === 'internal' || error instanceof AuditError)
    deps.logger.error({ error, requestId: request.id }, 'A request failed unforeseen.');
  const denied = [401, 403].includes(told.status);
  if (denied && !request.is404) {
    // The refusal stands even where it cannot be written down.
    await writeAudit(
      deps,
      request,
      'denied',
      { reason: `${told.code}: ${told.message}` },
      { route: routeOf(request) },
    ).catch((failure: unknown) => {
      deps.logger.error({ error: describeError(failure), requestId: request.id }, 'A denial is not in the audit log.');
    });
  }
  if (told.retryAfter !== null) void reply.header('retry-after', told.retryAfter);
  return reply.status(statusOf(told, request)).send(errorBodyOf(told, request.id));
}

function statusOf({ status }: ApiError, request: FastifyRequest): number {
  const { failsAs403, mayLease } = request.routeOptions.config;
  if (status !== 401 && status !== 404 && failsAs403?.(request) === true) return 403;
  return status === 500 && mayLease === true ? 502 : status;
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

function log({ logger }: ApiDeps, request: FastifyRequest, reply: FastifyReply): void {
  logger.info(
    {
      requestId: request.id,
      route: routeOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      tokenId: request.identity?.tokenId ?? null,
      source: request.ip,
    },
    'answered',
  );
}

/** The pattern, not the address: what a caller puts into it is not ours to log. */
export function routeOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? 'none'}`;
}

function shown(url: string): string {
  return (url.split('?', 1)[0] ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
}
