import { z } from 'zod';
import type { Facts } from './integrations/integration';

const schema = z.record(z.string(), z.string().max(1_000));

/** Facts from history, where whoever may write to the namespace can have put anything; nothing where they are no facts. */
export function readFacts(written: unknown): Facts {
  return schema.safeParse(written).data ?? {};
}
