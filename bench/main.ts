import { resolve } from 'node:path';
import { runProgram } from '../dev/run';
import { say } from '../dev/story';
import { findOrInstallTemporal, installOpenBao } from '../dev/tools';
import { cli } from './cli';
import { readCommand } from './command';
import { expire } from './expire';
import { issue } from './issue';
import { outage } from './outage';
import { restart } from './restart';
import { runBenches } from './run';
import { soak } from './soak';

const BENCHES = [issue, expire, outage, restart, soak, cli];
const EXIT_USAGE = 2;

const command = readCommand(process.argv.slice(2), BENCHES);
const ended =
  typeof command === 'string'
    ? refuse(command)
    : runProgram(async (signal) => {
        const tools = { temporal: await findOrInstallTemporal(say), bao: await installOpenBao(say) };
        const failed = await runBenches({ ...command, out: resolve(command.out), tools, say, signal });
        return failed === 0 ? 0 : 1;
      });

void ended.then((code) => {
  process.exitCode = code;
});

function refuse(sentence: string): Promise<number> {
  process.stderr.write(`${sentence}\n`);
  return Promise.resolve(EXIT_USAGE);
}
