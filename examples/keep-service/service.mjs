// A service that runs for months on AWS keys that live for an hour: `keep` of Leasehold's library extends the key, replaces it in
// time, and revokes it when the service stops.
//
//   npm install leasehold @aws-sdk/client-s3
//   LEASEHOLD_HOST=https://leasehold.example.com LEASEHOLD_TOKEN=… AWS_REGION=eu-central-1 node service.mjs
//
// It leases the dynamic secret AWS, of the type aws_iam or aws_sts.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { connectHttpLeases, keep, LeaseError } from 'leasehold/http';

const { LEASEHOLD_HOST, LEASEHOLD_TOKEN, LEASEHOLD_TOKEN_FILE } = process.env;
const { LEASEHOLD_SCOPE = 'backend/prd', LEASE_TTL = '1h', EVERY_SECONDS = '60' } = process.env;
const [project, config] = LEASEHOLD_SCOPE.split('/');

const leases = connectHttpLeases({
  url: LEASEHOLD_HOST,
  // A token that the platform renews, as that of a Kubernetes service account, is in a file: it is read before each request.
  token:
    LEASEHOLD_TOKEN_FILE === undefined
      ? LEASEHOLD_TOKEN
      : async () => (await readFile(LEASEHOLD_TOKEN_FILE, 'utf8')).trim(),
});

/** The key in use. */
let credential;

/** As the AWS SDK asks for it. */
async function currentKey() {
  return {
    accessKeyId: credential.ACCESS_KEY_ID,
    secretAccessKey: credential.SECRET_ACCESS_KEY,
    // Of a role session alone.
    sessionToken: credential.SESSION_TOKEN,
    // The SDK remembers a key until five minutes before this. A lease can be replaced earlier than its end, and the key before is
    // revoked soon after: said to end within these five minutes, it is asked for at each call, which costs nothing.
    expiration: new Date(Date.now() + 60_000),
  };
}

const s3 = new S3Client({ credentials: currentKey });
const stopping = new AbortController();
const kept = await keep(
  leases,
  { project, config, dynamicSecret: 'AWS', ttl: LEASE_TTL },
  {
    onCredential: (lease) => {
      credential = lease.credential;
      console.log(`From now on with the key ${credential.ACCESS_KEY_ID}.`);
    },
    onError: (error) => {
      // Whatever it is, it is tried again by itself. Only this one means that calls fail until then: tell whoever is on call.
      const isLost = error instanceof LeaseError && error.code === 'LeaseEnded';
      console.error(`${isLost ? 'There is no key for now' : 'The key could not be renewed yet'}: ${error.message}`);
    },
  },
);

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    console.log(`${Buckets.length} buckets, seen with the key ${credential.ACCESS_KEY_ID}.`);
  } catch (error) {
    // A key that somebody revoked by hand is replaced when the lease is next due.
    console.error(`The buckets could not be listed: ${error.name}.`);
  }
  await sleep(Number(EVERY_SECONDS) * 1_000, undefined, { signal: stopping.signal }).catch(() => undefined);
}

await kept.close();
console.log('The key is revoked.');
