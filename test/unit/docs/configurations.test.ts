import { parse, parseAllDocuments, stringify } from 'yaml';
import { integrationTypes } from '../../../activities/integrations/registry';
import { parseConfig } from '../../../config/load';
import { blocksOf, docPages, readPage } from '../../support/doc-blocks';
import type { DocBlock } from '../../support/doc-blocks';

type Mapping = Readonly<Record<string, unknown>>;

const OURS = new Set(['version', 'integrations', 'projects', 'alerts', 'access', 'api']);
/** At the head of what belongs to GitHub Actions, Kubernetes, Compose and Prometheus. */
const OTHERS = new Set([
  'permissions',
  'steps',
  'jobs',
  'apiVersion',
  'spec',
  'containers',
  'volumes',
  'egress',
  'services',
  'scrape_configs',
  'groups',
]);
/** Of which a page that gives one gives all of it. */
const WHOLE = new Set(['connection', 'parameters', 'policy', 'claims']);
const WHERE =
  'Say where it stands in a configuration, <!-- part of: projects.backend.configs.prd -->, or why it is not checked.';

/** The configurations and the parts of one on a page. */
function configurationsOf(page: string): readonly DocBlock[] {
  return blocksOf(page, 'yaml').filter(({ code, line, remarks }) => {
    if (remarks['not run'] !== undefined) return false;
    // A file of Kubernetes may have several documents.
    const [first] = parseAllDocuments(code);
    const keys = Object.keys((first?.toJS() ?? {}) as Mapping);
    if (remarks['part of'] !== undefined || keys.every((key) => OURS.has(key))) return true;
    if (keys.some((key) => OTHERS.has(key))) return false;
    throw new Error(`${page}:${line}: ${keys.join(', ')} are no keys of a configuration. ${WHERE}`);
  });
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(base: unknown, part: unknown, key = ''): unknown {
  if (!isMapping(base) || !isMapping(part) || WHOLE.has(key)) return part;
  return {
    ...base,
    ...Object.fromEntries(Object.entries(part).map(([name, value]) => [name, merge(base[name], value, name)])),
  };
}

/** The part in its place; what is around it is added to, and its own keys take the place of those that are there. */
function place(base: unknown, path: readonly string[], part: Mapping): unknown {
  const [first, ...rest] = path;
  const own = isMapping(base) ? base : {};
  if (first === undefined) return merge(own, part);
  return { ...own, [first]: place(own[first], rest, part) };
}

/** Checks what a page shows, one after the other: what comes later may build on what came before. */
function check(blocks: readonly DocBlock[]): void {
  let around: unknown = parse(readPage('leasehold.example.yaml'));
  for (const { page, line, code, remarks } of blocks) {
    const part = parse(code) as Mapping;
    const isAll = Object.hasOwn(part, 'version');
    if (!isAll) around = place(around, remarks['part of']?.split('.') ?? [], part);
    parseConfig(
      isAll ? code : stringify(around, { aliasDuplicateObjects: false }),
      integrationTypes,
      `${page}:${line}`,
    );
  }
}

const pages = docPages().filter((page) => blocksOf(page, 'yaml').length > 0);

test.each(pages)('what %s shows of a configuration is right', (page) => {
  check(configurationsOf(page));
});

test('a key that is not known, and a value that is not allowed, would be seen', () => {
  const block = {
    page: 'page',
    line: 1,
    language: 'yaml',
    code: 'integrations: { aws-prod: { retried: true } }\n',
    remarks: {},
  };
  expect(() => {
    check([block]);
  }).toThrow('integrations.aws-prod.retried');
  const part = { 'part of': 'projects.backend.configs.prd.dynamic_secrets.S3_UPLOADS' };
  expect(() => {
    check([{ ...block, code: 'parameters: { usable_timeout: 1e9 }\n', remarks: part }]);
  }).toThrow('dynamic_secrets.S3_UPLOADS.parameters');
});
