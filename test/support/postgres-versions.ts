import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { POSTGRES_VERSIONS } from '../../dev/postgres-versions';
import type { PostgresVersion } from '../../dev/postgres-versions';

export interface FoundPostgres {
  readonly version: PostgresVersion;
  /** For `startPostgresServer`. */
  readonly binaries: string;
  /** Why there is none here; null: there is. */
  readonly missing: string | null;
}

/** Every version that leases are promised to work on. Waits for those to be installed, because jest does not while it defines tests. */
export function findPostgresVersions(): readonly FoundPostgres[] {
  return POSTGRES_VERSIONS.map((version) => {
    const program = join(__dirname, '../../dist/dev/install-postgres.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, String(version)], { encoding: 'utf8' });
    return { version, binaries: stdout, missing: status === 0 ? null : stderr.trim() };
  });
}
