/** jose is ESM only: it is transformed like our own sources. */
const transform = {
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  // Modules that a command loads when it is run are named as Node wants it, with the ending of what is built.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.leasehold/', '<rootDir>/test/releases/'],
};

/** Projects whose tests share one Temporal server and one emulator: jest starts them once for all of these. */
const served = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

// The AWS SDK's advice to leave Node 20 would be printed by every test process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** @type {import('jest').Config} */
module.exports = {
  // The tests wait for leases more than they work: three at a time left more than a third of two cores idle.
  maxWorkers: 4,
  testTimeout: 30_000,
  projects: [
    { ...transform, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...transform, ...served, displayName: 'server', testMatch: ['<rootDir>/test/server/**/*.test.ts'] },
    // Only `npm run test:long` has these, and LEASEHOLD_TEST_FULL with them.
    { ...transform, ...served, displayName: 'long', testMatch: ['<rootDir>/test/long/**/*.test.ts'] },
    // For `npm run chaos`, and `npm run test:long` at its end: one run at a time, which starts all that it needs by itself.
    { ...transform, displayName: 'chaos', testMatch: ['<rootDir>/test/chaos/**/*.test.ts'] },
  ],
};
