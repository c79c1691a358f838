import { rename, writeFile } from 'node:fs/promises';
import { configText, invalidConfigText } from './world-config';
import type { Places } from './world-config';

/** The file that all programs of a world read. */
export interface ConfigFile {
  readonly path: string;
  /** Each time another configuration. */
  writeValid(): Promise<void>;
  writeInvalid(): Promise<void>;
  isValidSince(instant: number): boolean;
}

export function createConfigFile(path: string, places: Places): ConfigFile {
  let edition = 0;
  /** Null: it is not. */
  let validFrom: number | null = null;

  async function write(text: string): Promise<void> {
    const next = `${path}.${edition}`;
    edition += 1;
    await writeFile(next, text);
    await rename(next, path);
  }

  return {
    path,
    writeValid: async () => {
      await write(configText(places, edition));
      validFrom ??= Date.now();
    },
    writeInvalid: async () => {
      validFrom = null;
      await write(invalidConfigText());
    },
    isValidSince: (instant) => validFrom !== null && validFrom <= instant,
  };
}
