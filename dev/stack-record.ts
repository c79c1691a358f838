import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const port = z.int().min(1).max(65_535);
const recordSchema = z.object({
  pid: z.int().positive(),
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().nullable() }),
  aws: z.object({ url: z.string() }),
  postgres: z.object({ host: z.string(), port, database: z.string() }).optional(),
  datadog: z.object({ url: z.string() }).optional(),
});
const portsSchema = z.object({
  temporal: port,
  ui: port,
  aws: port,
  postgres: port.optional(),
  datadog: port.optional(),
});

/** How a running stack is reached. Written to a file: no key is in it. */
export type StackRecord = z.infer<typeof recordSchema>;
export type StackPorts = z.infer<typeof portsSchema>;

/** The record in a file; null if there is none that can be read. */
export function readRecord(file: string): Promise<StackRecord | null> {
  return read(file, recordSchema);
}

/** The ports that were used last, of what was the stack's own. */
export function readPorts(file: string): Promise<StackPorts | null> {
  return read(file, portsSchema);
}

/** Writes it whole or not at all, readable by its owner only. */
export async function write(file: string, content: StackRecord | StackPorts): Promise<void> {
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}

async function read<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
