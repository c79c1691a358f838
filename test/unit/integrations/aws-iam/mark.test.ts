import { readMarks } from '../../../../activities/integrations/aws-iam/mark';

const HANDLE = { userName: 'leasehold-abcdefgh-abcdefghijklmnopqrstuvwx', path: '/leasehold/', region: null };
const TAGS = [
  { Key: 'leasehold:deployment', Value: 'abcdefgh' },
  { Key: 'Leasehold:Lease', Value: 'abcdefghijklmnopqrstuvwx' },
  { Key: 'leasehold:expires-at', Value: '2031-02-03T04:05:06.000Z' },
];
const USER = { UserName: HANDLE.userName, Path: HANDLE.path, UserId: undefined, Arn: undefined, CreateDate: undefined };

test('marks are read whatever the case of their keys, which IAM does not tell apart', () => {
  expect(readMarks({ ...USER, Tags: TAGS }, HANDLE)).toEqual({
    deployment: 'abcdefgh',
    leaseId: 'abcdefghijklmnopqrstuvwx',
    expiresAt: new Date('2031-02-03T04:05:06.000Z'),
  });
});

test('no marks are taken from a user whose name differs in upper and lower case, which IAM finds all the same', () => {
  const user = { ...USER, UserName: HANDLE.userName.toUpperCase(), Tags: TAGS };
  expect(readMarks(user, HANDLE)).toEqual({ deployment: null, leaseId: null, expiresAt: null });
});
