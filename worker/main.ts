#!/usr/bin/env node
import { runPart } from '../packaging/program';
import { createWorkerCommand } from './command';

const command = createWorkerCommand('leasehold-worker');

void runPart('worker', command, async () => (await import('./run.js')).runWorker(command.opts()));
