import { installPostgres, POSTGRES_VERSIONS } from './postgres-versions';

/**
 * Installs one of the versions of PostgreSQL that the long tests run on and writes where its programs are:
 * `node dist/dev/install-postgres.js 13`.
 */
async function main(): Promise<void> {
  const wanted = process.argv[2];
  const version = POSTGRES_VERSIONS.find((known) => String(known) === wanted);
  if (version === undefined) throw new Error(`Name one of the versions ${POSTGRES_VERSIONS.join(', ')}.`);
  const binaries = await installPostgres(version, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(binaries);
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof Error ? error.message : 'no reason given');
  process.exitCode = 1;
});
