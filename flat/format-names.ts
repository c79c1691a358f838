import type { Transformer } from './transformers';

/** Doppler's names for the ways to write secrets down. */
export const FORMAT_NAMES = ['json', 'env', 'yaml', 'docker', 'env-no-quotes', 'dotnet-json'] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** How a format has names turned when nobody says how. */
export function impliedTransformer(format: FormatName): Transformer | null {
  return format === 'dotnet-json' ? 'dotnet' : null;
}
