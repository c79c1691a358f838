import type { FastifyInstance } from 'fastify';
import { refusal } from '../errors';
import { failures } from './secrets';

/** Doppler's routes that change what here stands in the configuration. */
const WRITES: readonly (readonly ['POST' | 'PUT' | 'DELETE', string])[] = [
  ['POST', '/v3/configs/config/secrets'],
  ['DELETE', '/v3/configs/config/secrets'],
  ['DELETE', '/v3/configs/config/secret'],
  ['POST', '/v3/configs/config/secrets/upload'],
  ['POST', '/v3/configs/config/secrets/note'],
  ['POST', '/v3/projects'],
  ['POST', '/v3/projects/project'],
  ['DELETE', '/v3/projects/project'],
  ['POST', '/v3/projects/project/note'],
  ['POST', '/v3/environments'],
  ['PUT', '/v3/environments/environment'],
  ['DELETE', '/v3/environments/environment'],
  ['POST', '/v3/configs'],
  ['POST', '/v3/configs/config'],
  ['DELETE', '/v3/configs/config'],
  ['POST', '/v3/configs/config/clone'],
  ['POST', '/v3/configs/config/lock'],
  ['POST', '/v3/configs/config/unlock'],
  ['POST', '/v3/configs/config/tokens'],
  ['DELETE', '/v3/configs/config/tokens/token'],
];

/** Answers all of them in the same way. Doppler's CLI shows the sentence and tries nothing else. */
export function readOnlyRoutes(app: FastifyInstance): void {
  for (const [method, url] of WRITES) {
    app.route({
      method,
      url,
      schema: {
        tags: ['Doppler'],
        summary: 'Not offered: what it would change stands in the configuration',
        response: failures,
      },
      handler: (_, reply) => {
        void reply.header('allow', 'GET');
        throw refusal(
          405,
          'read_only',
          "Nothing can be changed here: projects, configs, secrets and tokens come from the server's configuration file.",
        );
      },
    });
  }
}
