import { z } from 'zod';
import { parseConfig } from '../../config/load';
import type { Config } from '../../config/load';
import { ConfigError } from '../../config/problems';
import { referenceSchema } from '../../config/reference';

/** A small type of integration, with one field of each kind that matters. */
export const types = {
  toy: {
    connection: z.strictObject({
      region: z
        .string()
        .regex(/^[a-z]+$/, 'must be lower-case letters')
        .default('here'),
      key: referenceSchema.optional(),
      token: z
        .string()
        .refine(() => false, { error: ({ input }) => `cannot be ${String(input)}` })
        .optional(),
      mode: z.enum(['fast', 'slow']).optional(),
      either: z.union([z.string(), z.strictObject({ size: z.number() })]).optional(),
    }),
    parameters: z.strictObject({
      rights: z.array(z.string()).min(1),
      size: z.int().max(9).default(3),
      free: z.record(z.string(), z.unknown()).optional(),
    }),
    fields: () => ['USER', 'PASSWORD'],
  },
  bare: { connection: z.strictObject({}), parameters: z.strictObject({}), fields: () => ['KEY'] },
  odd: {
    connection: z.strictObject({}),
    parameters: z.strictObject({ with_key: z.boolean().default(false) }),
    fields: (parameters: { with_key: boolean }) => (parameters.with_key ? ['ID', 'KEY'] : ['ID']),
  },
  quick: {
    connection: z.strictObject({}),
    parameters: z.strictObject({}),
    fields: () => ['KEY'],
    callsPerSecond: 100,
  },
};

export function load(text: string): Config {
  return parseConfig(text, types, 'test.yaml');
}

/** `path: message` of each problem, in order. */
export function problemsOf(text: string): string[] {
  return errorOf(text).problems.map(({ path, message }) => `${path}: ${message}`);
}

export function errorOf(text: string): ConfigError {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}
