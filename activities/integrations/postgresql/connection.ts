import { z } from 'zod';
import { referenceSchema } from '../../../config/reference';
import { filePath, host, namePrefix, objectName, port } from './syntax';

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

const tls = z
  .strictObject({
    /** As libpq's `sslmode`. */
    mode: z.enum(SSL_MODES).default('verify-full'),
    /** Authorities to believe instead of those of Node.js. */
    ca_file: filePath.optional(),
    /** The orchestrator's own certificate, for servers that ask for one. */
    certificate_file: filePath.optional(),
    key: referenceSchema.optional(),
    /** The name that the certificate must carry, where that is not `host`. */
    server_name: host.optional(),
  })
  .check(({ value, issues }) => {
    const { mode, ca_file: ca, certificate_file: certificate, key, server_name: serverName } = value;
    const refuse = (field: keyof typeof value, message: string): void => {
      issues.push({ code: 'custom', input: value, path: [field], message });
    };
    if ((certificate === undefined) !== (key === undefined)) {
      refuse(
        certificate === undefined ? 'certificate_file' : 'key',
        'is missing: certificate_file and key go together, the key as env:NAME or file:/absolute/path',
      );
    }
    if (ca !== undefined && (mode === 'disable' || mode === 'require')) {
      refuse('ca_file', `has no effect with mode ${mode}: set mode to verify-full or verify-ca, or leave it out`);
    }
    if (serverName !== undefined && mode !== 'verify-full') {
      refuse('server_name', `has no effect with mode ${mode}: set mode to verify-full, or leave it out`);
    }
    if (certificate !== undefined && mode === 'disable') {
      refuse('certificate_file', 'has no effect with mode disable: set another mode, or leave it out');
    }
  });

/** Settings of an integration of type `postgresql`. */
export const postgresqlConnection = z.strictObject({
  host,
  port: port.default(5432),
  /** Where the orchestrator connects, and the default of what holders get. */
  database: objectName.default('postgres'),
  /** The orchestrator's own role. */
  user: objectName,
  password: referenceSchema.optional(),
  tls: tls.prefault({}),
  name_prefix: namePrefix.default('leasehold'),
  /** How many connections may be open at once, for each of the two activity queues. */
  pool_size: z.int().min(1, 'must be at least 1').max(100, 'must be at most 100').default(5),
  /** What holders are told, where they reach the server another way than the orchestrator. */
  public_host: host.optional(),
  public_port: port.optional(),
  public_sslmode: z.enum(SSL_MODES).optional(),
});

export type PostgresqlConnection = z.output<typeof postgresqlConnection>;
export type TlsSettings = PostgresqlConnection['tls'];
