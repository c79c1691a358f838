import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

// The only modules of Node that the workflow sandbox offers.
const sandboxed = new Set(['assert', 'url', 'util']);
const nodeModules = builtinModules.filter((name) => !sandboxed.has(name));

/** Forbids imports of the given folders: the directions of the architecture, enforced. */
function forbid(folders, extra = []) {
  return [
    'error',
    {
      patterns: [
        ...(folders.length === 0
          ? []
          : [
              {
                regex: `^(\\.\\./)+(${folders.join('|')})(/|$)`,
                message: 'This folder may not import from there: see docs/design.md, "Folders and directions".',
              },
            ]),
        ...extra,
      ],
    },
  ];
}

const all = [
  'workflows',
  'activities',
  'worker',
  'client',
  'sealing',
  'config',
  'audit',
  'telemetry',
  'temporal',
  'flat',
  'packaging',
  'api',
  'cli',
  'dev',
  'bench',
  'test',
];
const allBut = (...allowed) => all.filter((folder) => !allowed.includes(folder));
const noEnv = [
  'error',
  { object: 'process', property: 'env', message: 'Only config/environment.ts reads the environment.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.leasehold/', 'test/histories/', 'test/releases/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-restricted-imports': 'off',
      'no-console': 'error',
      'no-restricted-properties': noEnv,
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': forbid(allBut('workflows'), [
        { regex: `^(node:)?(${nodeModules.join('|')})(/|$)`, message: 'Not available in the workflow sandbox.' },
        {
          regex: '^(@temporalio/(client|worker|activity|testing)|@aws-sdk/.*|@datadog/.*|zod|jose|pino)$',
          message: 'Workflows import @temporalio/workflow and common only.',
        },
      ]),
    },
  },
  ...[
    ['sealing', ['workflows']],
    ['audit', ['workflows', 'config']],
    ['telemetry', ['config']],
    ['flat', []],
    ['packaging', []],
    ['config', ['workflows', 'flat']],
    ['temporal', ['workflows', 'config']],
    ['activities', ['workflows', 'config', 'sealing', 'audit', 'telemetry', 'temporal', 'packaging']],
    ['worker', ['workflows', 'activities', 'config', 'audit', 'telemetry', 'temporal', 'packaging']],
    ['client', ['workflows', 'sealing', 'temporal', 'packaging']],
    ['api', ['workflows', 'client', 'sealing', 'config', 'audit', 'telemetry', 'temporal', 'flat', 'packaging']],
  ].map(([folder, allowed]) => ({
    files: [`${folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': forbid(allBut(folder, ...allowed)) },
  })),
  {
    // To read a configuration one must know the schemas of its integrations. Nothing else of them is of the API's business.
    files: ['api/run.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': forbid([
        'activities(?!/integrations/registry$)',
        'worker',
        'cli',
        'dev',
        'bench',
        'test',
      ]),
    },
  },
  {
    // Commands that speak HTTP load nothing of Temporal or of a provider: they run where none of these is installed.
    files: ['cli/**/*.ts'],
    ignores: ['cli/local/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': forbid([
        'activities',
        'worker(?!/(command|flags)$)',
        'client(?!/(http|keep|wire-code|leases|read-whole)$)',
        'sealing',
        'config(?!/(environment|own-parameters|problems|this-machine)$)',
        'audit',
        'telemetry',
        'temporal',
        'api(?!/command$)',
        'dev',
        'bench',
        'test',
      ]),
    },
  },
  {
    files: ['bench/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': forbid(['test']) },
  },
  {
    files: ['cli/local/**/*.ts', 'dev/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': forbid(['bench', 'test']) },
  },
  {
    files: ['config/environment.ts', 'test/**/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // expect.any(...) and the like are typed as any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_$' }],
    },
  },
);
