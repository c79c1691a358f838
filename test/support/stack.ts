/** The servers that all tests of test/server share, and where their programs are. */
export interface ProvidedStack {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly uiUrl: string };
  readonly aws: {
    readonly url: string;
    readonly region: string;
    readonly accountId: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly tools: { readonly temporal: string; readonly moto: string };
  /** Temporal's time-skipping test server, which each test that needs one starts for itself. */
  readonly testServer: string;
  /** Doppler's own command line. */
  readonly doppler: string;
  /** Schemathesis's program `st`. */
  readonly schemathesis: string;
  /** The workflows of this tree as one script, bundled once for all files. */
  readonly workflowBundle: string;
  /** A temporary directory with the servers' logs; removed at the end. */
  readonly directory: string;
}

export const STACK_VARIABLE = 'LEASEHOLD_TEST_STACK';

/** What test/support/global-setup.ts started. */
export function provided(): ProvidedStack {
  const text = process.env[STACK_VARIABLE];
  if (text === undefined) throw new Error('No stack was started: run these tests as the jest project "server".');
  return JSON.parse(text) as ProvidedStack;
}
