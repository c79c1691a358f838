import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** A manifest, as far as its kind says nothing. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly configMapGenerator: readonly {
    readonly name: string;
    readonly files?: readonly string[];
    readonly literals?: readonly string[];
    readonly options?: { readonly disableNameSuffixHash?: boolean };
  }[];
}

const UNDERSTOOD = ['apiVersion', 'kind', 'namespace', 'resources', 'images', 'configMapGenerator'];
/** Kinds that are in no namespace. */
const CLUSTER_WIDE = ['Namespace'];

/**
 * What `kubectl apply -k` would apply, as far as our kustomizations go, but that names of generated ConfigMaps have no hash.
 * @throws if a kustomization says more than is understood here.
 */
export function buildManifests(directory: string): readonly Manifest[] {
  const kustomization = readKustomization(directory);
  const { namespace, resources, images, configMapGenerator } = kustomization;
  const written = resources.flatMap((file) => readDocuments(join(directory, file)) as readonly Manifest[]);
  const generated = configMapGenerator.map(({ name, files = [], literals = [] }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: Object.fromEntries([
      ...files.map((file) => [file, readFileSync(join(directory, file), 'utf8')] as const),
      ...literals.map((literal) => cut(literal)),
    ]),
  }));
  return [...written, ...generated].map((manifest) => {
    const placed = CLUSTER_WIDE.includes(manifest.kind) ? {} : { namespace };
    return withImages({ ...manifest, metadata: { ...manifest.metadata, ...placed } }, images);
  });
}

export function readKustomization(directory: string): Kustomization {
  const [kustomization] = readDocuments(join(directory, 'kustomization.yaml')) as [Kustomization];
  const unknown = Object.keys(kustomization).filter((key) => !UNDERSTOOD.includes(key));
  if (unknown.length > 0) throw new Error(`nothing is known here of ${unknown.join(', ')} in a kustomization`);
  return kustomization;
}

/** Every document of a file, read as strictly as can be. */
export function readDocuments(file: string): readonly unknown[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true });
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
    return document.toJS() as unknown;
  });
}

function cut(literal: string): readonly [string, string] {
  const at = literal.indexOf('=');
  return [literal.slice(0, at), literal.slice(at + 1)];
}

function withImages(manifest: Manifest, images: Kustomization['images']): Manifest {
  const names = new Map(images.map(({ name, newName, newTag }) => [name, `${newName}:${newTag}`]));
  return JSON.parse(JSON.stringify(manifest), (key, value: unknown) =>
    key === 'image' && typeof value === 'string' ? (names.get(value) ?? value) : value,
  ) as Manifest;
}
