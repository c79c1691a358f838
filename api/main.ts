#!/usr/bin/env node
import { runPart } from '../packaging/program';
import { createApiCommand } from './command';

const command = createApiCommand('leasehold-api');

void runPart('api', command, async () => (await import('./run.js')).runApi(command.opts()));
