// Preloaded into a worker: its sweeps look at nothing, and say that they found nothing.
'use strict';

const { isMainThread } = require('node:worker_threads');
const { patch } = require('./patch.cjs');

if (isMainThread) {
  const { createTally } = require('../../../dist/activities/sweep/tally.js');
  patch('activities/sweep/sweep.js', 'sweep', () => (deps, { integration, dryRun }) => {
    return Promise.resolve(createTally(integration, deps.deployment, dryRun).report());
  });
}
