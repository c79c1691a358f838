import { setTimeout as sleep } from 'node:timers/promises';
import { LEASABLE } from '../development';
import { openSession, roleNumber, sessionsOf, tryQuery } from '../postgres-calls';
import { checkExpires, issue } from './scene';
import type { Scene } from './scene';

const TTL_S = 8;
/** The lease has ended by then: the message is on its way. */
const CUT_WITHIN_MS = 3_000;
const READ = 'SELECT count(*) AS orders FROM orders';

/** A lease of a PostgreSQL role whose holder is still connected, in a transaction, when it ends. */
export async function usePostgresUntilItIsCutOff(scene: Scene): Promise<void> {
  const { stack, story } = scene;
  story.heading(`A PostgreSQL role for ${TTL_S} seconds, cut off in the middle of a transaction`);
  const leased = await issue(scene, LEASABLE.postgres, `${TTL_S}s`, ({ USER: user }) => `role ${String(user)}`);
  const { lease, entity } = leased;
  const { URL: url = '' } = lease.credential;
  const admin = await openSession(stack.postgres.adminUrl);
  const session = await openSession(url);
  try {
    const role = (await roleNumber(admin, entity)) ?? 0;
    const [row] = await session.query(READ);
    story.check(
      Number(row?.['orders']) === 3,
      `it reads the table with the leased URL: ${String(row?.['orders'])} orders`,
    );
    const written = await tryQuery(url, 'DELETE FROM orders');
    story.check(written === '42501', `it may not write: ${written}`);
    await session.query(`BEGIN; ${READ}`);
    const open = await sessionsOf(admin, role);
    story.check(open === 1, `it has ${open} session open, in a transaction`);

    await checkExpires(scene, leased);
    const cut = await Promise.race([session.cut, sleep(CUT_WITHIN_MS, null, { ref: false })]);
    story.check(
      cut?.code === '57P01' && cut.at >= lease.expiresAt,
      `its open session was cut by the server: ${String(cut?.code)}`,
    );
    const left = await sessionsOf(admin, role);
    story.check(left === 0, `it has ${left} sessions`);
    const login = await tryQuery(url, READ);
    story.check(login === '28P01', `the same URL is refused: ${login}`);
    story.check((await roleNumber(admin, entity)) === null, `the role ${entity} is gone`);
  } finally {
    await session.close();
    await admin.close();
  }
}
