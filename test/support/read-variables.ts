import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/**
 * The variables that a worker, the API or a command reads of itself: those of config/environment.ts, and those that Temporal's own
 * reader of its variables was seen to ask for.
 */
export function readVariables(): ReadonlySet<string> {
  const ours = readFileSync(join(__dirname, '../../config/environment.ts'), 'utf8').matchAll(
    /'((?:LEASEHOLD|TEMPORAL)_[A-Z_]+)'/g,
  );
  const names = new Set([...ours].map(([, name]) => name!));
  const watched = new Proxy<Record<string, string>>(
    {},
    {
      get: (_, name) => {
        if (typeof name === 'string' && name.startsWith('TEMPORAL_')) names.add(name);
        return undefined;
      },
    },
  );
  loadClientConnectConfig({ overrideEnvVars: watched });
  return names;
}
