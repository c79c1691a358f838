import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiDeps } from '../deps';
import { refusal } from '../errors';
import { identityOf, requireRight } from '../request';
import { fingerprintOf, keyOf, leaseSet } from './downloads';
import type { Download, Downloader, Downloads, LeaseSet } from './downloads';
import { findPlace } from './place';
import type { Where } from './place';
import { whereQuery } from './query';
import { failures } from './secrets';

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
}

/**
 * The stream that makes `doppler run --watch` fetch anew: once when the config has changed since the last download, and once for
 * each set of leases shortly before the first of them ends. It never says `connected`: on that the CLI would download, and thereby
 * lease, again after every lost connection.
 */
export function watchRoutes(app: FastifyInstance, deps: ApiDeps, downloads: Downloads): void {
  const streams: Streams = { open: new Set(), counts: new Map(), closedAt: new Map() };
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
        querystring: whereQuery,
        response: { 200: z.string().describe('Server-sent events `ping` and `secrets.update`.'), ...failures },
        tags: ['Doppler'],
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
  const told = new Set<LeaseSet | string>();
  enter(streams, key, response, downloads.find(downloader));
  let lastPing = Date.now();
  send(response, 'ping');
  const tick = setInterval(() => {
    const now = Date.now();
    const download = downloads.find(downloader) ?? seen;
    if (hasNews(currentFingerprint(deps, request, downloader), download, told, now)) send(response, 'secrets.update');
    if (now - lastPing < PING_EVERY_MS) return;
    lastPing = now;
    send(response, 'ping');
    // A token may have been taken back or have expired since.
    deps.authenticate(request.headers.authorization).catch(() => {
      response.end();
    });
  }, TICK_MS);
  response.once('close', () => {
    clearInterval(tick);
    leave(streams, key, response);
  });
}

/** Each change of the config and each set of leases is news once for each stream. */
function hasNews(fingerprint: string | null, download: Download, told: Set<LeaseSet | string>, now: number): boolean {
  const due: (LeaseSet | string)[] = download.sets.filter((set) => set.dueAt <= now + TICK_MS && set.expiresAt > now);
  const isChanged = fingerprint !== null && download.fingerprint !== null && fingerprint !== download.fingerprint;
  if (isChanged) due.push(fingerprint);
  const news = due.filter((each) => !told.has(each));
  for (const each of news) told.add(each);
  // A config that was changed back and forth is news again.
  if (!isChanged) for (const each of told) if (typeof each === 'string') told.delete(each);
  return news.length > 0;
}

function currentFingerprint(deps: ApiDeps, request: FastifyRequest, where: Where): string | null {
  try {
    return fingerprintOf(findPlace(deps.config(), identityOf(request), where).settings);
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
