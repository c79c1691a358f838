import { makePassword, scramVerifier } from '../../../../activities/integrations/postgresql/scram';

test('the verifier is that of RFC 7677', async () => {
  expect(await scramVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$' +
      'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

test('each password and each salt is another, and nothing in a password needs escaping', async () => {
  const passwords = Array.from({ length: 200 }, makePassword);
  expect(new Set(passwords).size).toBe(200);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(await scramVerifier('same')).not.toBe(await scramVerifier('same'));
});
