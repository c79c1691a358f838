#!/usr/bin/env node
import { keepMemoryToOurselves } from '../packaging/own-memory';
import { runPart } from '../packaging/program';
import { createApiCommand } from './command';

keepMemoryToOurselves();
const command = createApiCommand('leasehold-api');

void runPart('api', command, async () => (await import('./run.js')).runApi(command.opts()));
