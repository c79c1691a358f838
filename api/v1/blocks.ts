import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { liftBlock, listBlocks } from '../../client/blocks';
import { blockBody, blockListBody } from '../../client/wire';
import type { BlockBody } from '../../client/wire';
import type { Block } from '../../workflows/contract';
import { writeAudit } from '../audit';
import { answer, errors } from '../describe';
import { refusal } from '../errors';
import { identityOf, requireRight } from '../request';
import type { Routes } from '../server';
import { toBody } from './filter-body';
import { covers } from './reach';

/** What keeps leases from being issued, until an admin lifts it. */
export const blockRoutes: Routes = (plain, deps) => {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const { client } = deps;

  app.get(
    '/v1/blocks',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'listBlocks',
        summary: 'List what keeps leases from being issued',
        description:
          'A revocation of many leases places a block, which stays until it is lifted. Needs the right `admin`.',
        tags: ['blocks'],
        response: { 200: answer('Blocks in force.', blockListBody), ...errors(403, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const blocks = await listBlocks({ client });
      return { blocks: blocks.filter(({ filter }) => covers(identity, filter)).map(body) };
    },
  );

  app.delete(
    '/v1/blocks/:id',
    {
      config: { needsTemporal: true },
      schema: {
        operationId: 'liftBlock',
        summary: 'Lift a block',
        description: 'Leases that it kept out can be issued again from then on. Needs the right `admin`.',
        tags: ['blocks'],
        params: z.object({ id: z.string().max(100) }),
        response: { 200: answer('What was lifted.', blockBody), ...errors(403, 404, 502) },
      },
    },
    async (request) => {
      const identity = identityOf(request);
      requireRight(identity, 'admin');
      const block = (await listBlocks({ client })).find(({ id }) => id === request.params.id);
      if (block === undefined || !covers(identity, block.filter)) throw noBlock();
      const { holder, project, config, dynamicSecret, integration } = block.filter;
      await writeAudit(
        deps,
        request,
        'block_lifted',
        {
          holder: holder ?? null,
          project: project ?? null,
          config: config ?? null,
          dynamicSecret: dynamicSecret ?? null,
          integration: integration ?? null,
        },
        { block: block.id },
      );
      if (!(await liftBlock({ client }, block.id))) throw noBlock();
      return body(block);
    },
  );
};

function noBlock(): Error {
  return refusal(404, 'not_found', 'There is no such block; it may have been lifted.');
}

function body({ id, filter, by, reason, at }: Block): BlockBody {
  return { id, filter: toBody(filter), by, reason, at };
}
