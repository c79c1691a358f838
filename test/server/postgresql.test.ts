import { connectWith, openPostgresSetting } from '../support/postgres-setting';
import type { PostgresSetting } from '../support/postgres-setting';

jest.setTimeout(30_000);

let setting: PostgresSetting;

beforeAll(async () => {
  setting = await openPostgresSetting({ settings: { log_statement: 'all' } });
});

afterAll(() => setting.close());

test('a lease can log in at once, and not any more after its end', async () => {
  const lease = setting.open().lease();

  const made = await lease.provision();
  const holder = await connectWith(made);
  const { rows } = await holder.query('SELECT current_user, current_database()');
  expect(rows).toEqual([{ current_user: lease.role, current_database: made.credential['DATABASE'] }]);

  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  await expect(holder.query('SELECT 1')).rejects.toThrow();
  await expect(connectWith(made)).rejects.toMatchObject({ code: '28P01' });
  expect(await lease.deprovision()).toEqual({ result: 'absent' });
});

test('what the holder made goes to the owner', async () => {
  const lease = setting.open().lease();
  const made = await lease.provision();
  const holder = await connectWith(made);
  await holder.query('CREATE TABLE public.made (a int)');
  expect(await lease.deprovision()).toEqual({ result: 'removed' });
  const found = await setting.ask(
    "SELECT tableowner FROM pg_tables WHERE tablename = 'made'",
    made.credential['DATABASE'],
  );
  expect(found).toEqual([{ tableowner: "app-owner's" }]);
});
