import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { isInScope } from '../identity/identity';
import { identityOf, requireRight } from '../request';
import { onceAnswered } from '../gone';
import { fingerprintOf, keyOf, leaseSet } from './downloads';
import type { Download, Downloader, Downloads, LeaseSet } from './downloads';
import { findPlace } from '../place';
import type { ConfigSettings, Where } from '../place';
import { whereQuery } from './query';
import { failures } from './secrets';
import { createStreamLimit } from './stream-limit';

const TICK_MS = 1_000;
const PING_EVERY_MS = 30_000;
/** Longer than Doppler's CLI pauses before it opens a lost stream again. */
const MAY_COME_BACK_MS = 2 * 60_000;
/** Leases looked at where it is not known what was downloaded. */
const MAX_RECALLED = 100;

/** Open streams, and when the last one of a downloader was closed. */
interface Streams {
  readonly open: Set<ServerResponse>;
  readonly counts: Map<string, number>;
  readonly closedAt: Map<string, number>;
  /** What is read for one stream in a tick need not be read for all. */
  readonly fingerprints: WeakMap<ConfigSettings, { readonly value: string | null; readonly readAt: number }>;
}

/** What a stream has said. */
interface Told {
  /** When its program was last made to fetch anew: what it had before is no news to it any more. */
  at: number;
  /** The changed config of which it knows. */
  fingerprint: string | null;
}

/**
 * The stream that makes `doppler run --watch` fetch anew: once when the config has changed since the last download, and shortly before
 * the first of the leases ends that were issued since it last did. Of several programs behind one token and address it is not known
 * which has which leases: they all fetch anew together. It never says `connected`: on that the CLI would download, and thereby
 * lease, again after every lost connection.
 */
export function watchRoutes(app: FastifyInstance, deps: ApiDeps, downloads: Downloads): void {
  const streams: Streams = { open: new Set(), counts: new Map(), closedAt: new Map(), fingerprints: new WeakMap() };
  const limit = createStreamLimit();
  let isClosing = false;

  app.addHook('preClose', (done) => {
    isClosing = true;
    for (const response of streams.open) response.end();
    done();
  });

  app.withTypeProvider<ZodTypeProvider>().get(
    '/v3/configs/config/secrets/watch',
    {
      schema: {
        tags: ['Doppler'],
        summary: 'Be told when to download again',
        description:
          'A stream that stays open. It ends when the process does. One token, or one holder of an OIDC issuer, has 50 at once, and all have 2,000.',
        querystring: whereQuery,
        response: { 200: z.string().describe('Server-sent events `ping` and `secrets.update`.'), ...failures },
      },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const identity = identityOf(request);
      const where = findPlace(deps.config(), identity, request.query);
      requireRight(identity, 'read');
      if (isClosing) throw refusal(503, 'shutting_down', 'This server is shutting down: ask again.');
      const { tokenId, holder } = identity;
      const { project, config } = where;
      // Of an OIDC issuer each holder has its own. Before anything is waited for: of many at once none slips in.
      onceAnswered(reply, limit.enter(`${tokenId} ${holder}`));
      const downloader: Downloader = { tokenId, holder, source: request.ip, project, config };
      const seen = await recall(deps, downloads, downloader);
      if (reply.raw.destroyed) return reply;
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-request-id': request.id,
        connection: 'close',
      });
      follow(deps, streams, request, reply.raw, { downloads, downloader, seen });
      return reply;
    },
  );
}

interface Followed {
  readonly downloads: Downloads;
  readonly downloader: Downloader;
  /** Taken for the latest download until there is one. */
  readonly seen: Download;
}

function follow(
  deps: ApiDeps,
  streams: Streams,
  request: FastifyRequest,
  response: ServerResponse,
  { downloads, downloader, seen }: Followed,
): void {
  const key = keyOf(downloader);
  const told: Told = { at: -Infinity, fingerprint: null };
  enter(streams, key, response, downloads.find(downloader));
  let lastPing = Date.now();
  send(response, 'ping');
  const tick = setInterval(() => {
    const now = Date.now();
    const download = downloads.find(downloader) ?? seen;
    const fingerprint = currentFingerprint(deps, streams, request, downloader, download.fingerprint);
    if (hasNews(fingerprint, download, told, now)) send(response, 'secrets.update');
    if (now - lastPing < PING_EVERY_MS) return;
    lastPing = now;
    send(response, 'ping');
    void endIfRefused(deps, request, response, downloader);
  }, TICK_MS);
  response.once('close', () => {
    clearInterval(tick);
    leave(streams, key, response);
  });
}

/** A token may have been taken back, have expired or lost its right or scope since. */
async function endIfRefused(
  deps: ApiDeps,
  request: FastifyRequest,
  response: ServerResponse,
  { project, config }: Where,
): Promise<void> {
  try {
    const identity = await deps.authenticate(request.headers.authorization);
    if (identity.rights.has('read') && isInScope(identity, project, config)) return;
  } catch {
    // It is nobody's any more.
  }
  response.end();
}

/** Each change of the config is news once, and so are leases that near their end, with all others that were taken before that. */
function hasNews(fingerprint: string | null, { sets, fingerprint: had }: Download, told: Told, now: number): boolean {
  const isDue = ({ takenAt, dueAt, expiresAt }: LeaseSet): boolean =>
    takenAt > told.at && dueAt <= now + TICK_MS && expiresAt > now;
  const isChanged = fingerprint !== null && had !== null && fingerprint !== had;
  const hasChanged = isChanged && fingerprint !== told.fingerprint;
  // A config that was changed back and forth is news again.
  told.fingerprint = isChanged ? fingerprint : null;
  if (!hasChanged && !sets.some(isDue)) return false;
  told.at = now;
  return true;
}

function currentFingerprint(
  { config }: ApiDeps,
  { fingerprints }: Streams,
  request: FastifyRequest,
  where: Where,
  had: string | null,
): string | null {
  try {
    const { settings } = findPlace(config(), identityOf(request), where);
    const known = fingerprints.get(settings);
    // A change is not concluded from what was read before the latest download.
    if (known !== undefined && known.value === had && Date.now() - known.readAt < TICK_MS) return had;
    const value = fingerprintOf(settings);
    fingerprints.set(settings, { value, readAt: Date.now() });
    return value;
  } catch {
    // The config is gone: a program that runs on it had better go on.
    return null;
  }
}

/**
 * What this downloader has. If this process does not know, because it was started since, the leases that its holder has in the
 * config stand for it.
 */
async function recall(deps: ApiDeps, downloads: Downloads, downloader: Downloader): Promise<Download> {
  const { project, config, holder } = downloader;
  const known = downloads.find(downloader);
  if (known !== undefined) return known;
  const settings = deps.config().projects[project]?.configs[config];
  const fingerprint = settings === undefined ? null : fingerprintOf(settings);
  if (settings === undefined || Object.keys(settings.dynamicSecrets).length === 0) return { fingerprint, sets: [] };
  const sets: LeaseSet[] = [];
  try {
    const { leases } = await deps.leases.page(
      { project, config, holder, state: 'active', pageSize: MAX_RECALLED },
      null,
    );
    const ends = leases.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt]));
    if (ends.length > 0) sets.push(leaseSet(ends, Date.now()));
  } catch (error) {
    deps.logger.warn({ error }, 'Leases that a watching program may have are not known.');
  }
  return { fingerprint, sets };
}

/** One event in one write: Doppler's CLI takes what it reads at once for one event. */
function send(response: ServerResponse, type: 'ping' | 'secrets.update'): void {
  if (!response.writableEnded) response.write(`event: message\ndata: ${JSON.stringify({ type })}\n\n`);
}

function enter({ open, counts, closedAt }: Streams, key: string, response: ServerResponse, known?: Download): void {
  const isAlone = (counts.get(key) ?? 0) === 0;
  const last = closedAt.get(key);
  // A program that begins has the newest leases; older ones are of programs that have ended, and no reason to restart this one.
  if (isAlone && known !== undefined && (last === undefined || Date.now() - last > MAY_COME_BACK_MS)) {
    known.sets.splice(0, known.sets.length - 1);
  }
  open.add(response);
  counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const [each, at] of closedAt) if (Date.now() - at > MAY_COME_BACK_MS) closedAt.delete(each);
}

function leave({ open, counts, closedAt }: Streams, key: string, response: ServerResponse): void {
  open.delete(response);
  const left = (counts.get(key) ?? 1) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
  closedAt.set(key, Date.now());
}
