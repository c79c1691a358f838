#!/usr/bin/env node
import { keepMemoryToOurselves } from '../packaging/own-memory';
import { runPart } from '../packaging/program';
import { createWorkerCommand } from './command';

keepMemoryToOurselves();
const command = createWorkerCommand('leasehold-worker');

void runPart('worker', command, async () => (await import('./run.js')).runWorker(command.opts()));
