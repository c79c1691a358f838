import { randomUUID } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { openAwsHoldings } from '../chaos/holding-aws';
import { startAwsProxy } from '../support/aws-proxy';
import { provided } from '../support/stack';

test('a key made while the list of keys was on its way is seen by the next look at AWS', async () => {
  const { aws } = provided();
  const deployment = randomUUID().slice(0, 8).replaceAll(/[0-9]/g, 'z');
  const user = { UserName: `leasehold-${deployment}-${'a'.repeat(24)}` };
  const { url: endpoint, region, accessKeyId, secretAccessKey } = aws;
  const iam = new IAMClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const proxy = await startAwsProxy({ target: aws.url, pageSize: 1_000 });
  const holdings = openAwsHoldings({ ...aws, url: proxy.url });
  let made: string | undefined;
  try {
    await iam.send(new CreateUserCommand(user));
    proxy.setOnCall(async (operation, phase) => {
      if (operation !== 'ListAccessKeys' || phase !== 'after' || made !== undefined) return;
      const call = { operation: 'CreateAccessKey', entity: user.UserName, at: new Date() };
      holdings.changes(call, 'before');
      made = (await iam.send(new CreateAccessKeyCommand(user))).AccessKey!.AccessKeyId!;
      holdings.changes(call, 'after');
    });

    expect(await holdings.entities(deployment)).toMatchObject([{ identities: [] }]);
    expect(await holdings.entities(deployment)).toMatchObject([{ identities: [made] }]);
  } finally {
    holdings.close();
    if (made !== undefined) await iam.send(new DeleteAccessKeyCommand({ ...user, AccessKeyId: made }));
    await iam.send(new DeleteUserCommand(user));
    await proxy.close();
    iam.destroy();
  }
});
