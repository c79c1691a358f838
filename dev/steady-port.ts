import { randomInt } from 'node:crypto';
import { findPort } from './ports';

/** A free port that the system gives to no outgoing connection, so that it still is free when its program is started again. */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const wanted = randomInt(20_000, 32_000);
    if ((await findPort(wanted)) === wanted) return wanted;
  }
}
