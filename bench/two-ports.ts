import { steadyPort } from '../dev/steady-port';

/** Two different ones. */
export async function twoSteadyPorts(): Promise<readonly [number, number]> {
  const first = await steadyPort();
  for (;;) {
    const second = await steadyPort();
    if (second !== first) return [first, second];
  }
}
