// A program that knows nothing of Leasehold: it finds its AWS key in the environment, as every program does.
//
//   leasehold run -- node examples/list-buckets.mjs
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

const s3 = new S3Client({ forcePathStyle: true });
const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
console.log(`The key ${process.env.AWS_ACCESS_KEY_ID} works: ${Buckets.length} buckets.`);
console.log(`It is dead after ${process.env.AWS_LEASE_EXPIRES_AT}.`);
