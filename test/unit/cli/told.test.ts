import { FailedError, tellError } from '../../../cli/exit';
import { warn } from '../../../cli/warn';
import { captureOutput } from '../../support/captured-output';

const mockWritten: string[] = [];
jest.mock('node:fs', () => ({
  ...jest.requireActual<object>('node:fs'),
  openSync: () => 2,
  writeSync: (_: number, bytes: Uint8Array) => {
    mockWritten.push(Buffer.from(bytes).toString());
    return bytes.length;
  },
}));

const captured = captureOutput();
/** As an API, or what stands between, may name a secret. */
const EVIL = 'LD_\u001b]0;all is well\u0007\u202e';
const SHOWN = 'LD_\\u{1b}]0;all is well\\u{7}\\u{202e}';

test('an error tells a name from elsewhere so that it steers no terminal, and keeps its lines', () => {
  expect(tellError(new FailedError(`There is no ${EVIL}.\nLook at what there is.`))).toBe(1);
  expect(captured.stderr).toBe(`There is no ${SHOWN}.\nLook at what there is.\n`);
});

test('so does a line beside a running program', () => {
  warn(`Not handed out: ${EVIL}.`);
  expect(mockWritten.join('')).toBe(`leasehold: Not handed out: ${SHOWN}.\n`);
});
