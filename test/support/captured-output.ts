/** What is written to the standard streams in each test, which then shows nothing of it. */
export interface CapturedOutput {
  stdout: string;
  stderr: string;
}

/** To be called once in a test file. */
export function captureOutput(): CapturedOutput {
  const captured: CapturedOutput = { stdout: '', stderr: '' };
  beforeEach(() => {
    captured.stdout = '';
    captured.stderr = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text, done) => {
      captured.stdout += String(text);
      (done as unknown as () => void)();
      return true;
    });
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      captured.stderr += String(text);
      return true;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  return captured;
}
