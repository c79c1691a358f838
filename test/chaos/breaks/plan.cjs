// Preloaded into a worker: each attempt to provision makes an entity of a name that it draws itself, and writes down which one
// only once it has made it. Removal knows what was written down, and nothing else.
'use strict';

const { randomBytes } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { patch } = require('./patch.cjs');

/** What handles call the entity, by type of integration. */
const NAMES = ['userName', 'role', 'name'];

function drawn(handle) {
  const field = NAMES.find((each) => typeof handle[each] === 'string');
  if (field === undefined) throw new Error('A handle names no entity as this break knows them: it must follow it.');
  const [, prefix, mark] = /^(.*)(-[a-z2-7]{8}-[a-z2-7]{24})$/.exec(handle[field]);
  return { ...handle, [field]: `${prefix}-${randomBytes(4).toString('hex')}${mark}` };
}

function fileOf(leaseId) {
  return join(process.env.LEASEHOLD_CHAOS_SHARED, `made-${leaseId}.json`);
}

/** Undefined: no attempt came to its end. */
function written(leaseId) {
  try {
    return JSON.parse(readFileSync(fileOf(leaseId), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

if (isMainThread) {
  patch('activities/connections.js', 'createConnections', (createConnections) => (config, types) => {
    const connections = createConnections(config, types);
    const broken = new Map();
    return {
      ...connections,
      open: (name) => {
        const integration = connections.open(name);
        if (!broken.has(integration)) broken.set(integration, breakPlan(integration));
        return broken.get(integration);
      },
    };
  });
}

function breakPlan(integration) {
  return {
    ...integration,
    provision: async (handle, parameters, expiry, attempt) => {
      const own = drawn(handle);
      const made = await integration.provision(own, parameters, expiry, attempt);
      writeFileSync(fileOf(attempt.leaseId), JSON.stringify(own));
      return made;
    },
    extend: (handle, expiry, attempt) => integration.extend(written(attempt.leaseId) ?? handle, expiry, attempt),
    deprovision: (handle, attempt) => integration.deprovision(written(attempt.leaseId) ?? handle, attempt),
  };
}
