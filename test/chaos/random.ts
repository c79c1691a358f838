import { createHash } from 'node:crypto';

/** Numbers that look random and are the same for the same seed and name. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  between(least: number, most: number): number;
  /** A whole number, both ends included. */
  whole(least: number, most: number): number;
  chance(probability: number): boolean;
  oneOf<T>(choices: readonly T[]): T;
  shuffled<T>(list: readonly T[]): readonly T[];
}

/**
 * A stream of its own for each name: what one part of a plan draws changes nothing of another.
 * The generator is sfc32, seeded by a hash so that seeds in a row give streams that have nothing in common.
 */
export function randomOf(seed: number, name: string): Random {
  const hash = createHash('sha256').update(`${seed}/${name}`).digest();
  const state = new Uint32Array([0, 4, 8, 12].map((offset) => hash.readUInt32LE(offset)));
  const next = (): number => {
    const [a, b, c, count] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const sum = (a + b + count) >>> 0;
    state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + sum, count + 1]);
    return sum / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + (most - least) * next();
  const whole = (least: number, most: number): number => least + Math.floor((most - least + 1) * next());
  return {
    next,
    between,
    whole,
    chance: (probability) => next() < probability,
    oneOf: (choices) => choices[whole(0, choices.length - 1)]!,
    shuffled: (list) => {
      const left = [...list];
      return list.map(() => left.splice(whole(0, left.length - 1), 1)[0]!);
    },
  };
}
