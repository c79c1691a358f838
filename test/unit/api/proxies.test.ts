import { createTrust } from '../../../api/proxies';

test('addresses and networks are trusted, of both families and as one socket shows the other', () => {
  const trusts = createTrust(() => ['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', '::1']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8:1::5', '::1']) {
    expect([address, trusts(address)]).toEqual([address, true]);
  }
  for (const address of ['10.2.0.1', '192.0.2.8', '::ffff:10.2.0.1', '2001:db9::1', 'unknown', '', 'localhost']) {
    expect([address, trusts(address)]).toEqual([address, false]);
  }
});

test('nobody is trusted unless told, and others once told otherwise', () => {
  let proxies: string[] = [];
  const trusts = createTrust(() => proxies);
  expect(trusts('127.0.0.1')).toBe(false);
  proxies = ['127.0.0.1'];
  expect(trusts('127.0.0.1')).toBe(true);
  proxies = ['10.0.0.0/8'];
  expect(trusts('127.0.0.1')).toBe(false);
});
