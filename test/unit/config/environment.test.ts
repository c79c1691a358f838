import { configPath, logLevel, readVariable } from '../../../config/environment';

const before = { ...process.env };

afterEach(() => {
  process.env = { ...before };
});

test('a variable that is not set is undefined, one that is empty is not', () => {
  delete process.env['LEASEHOLD_TEST'];
  expect(readVariable('LEASEHOLD_TEST')).toBeUndefined();
  process.env['LEASEHOLD_TEST'] = '';
  expect(readVariable('LEASEHOLD_TEST')).toBe('');
});

test.each(['constructor', '__proto__', 'toString'])('%s is no variable unless somebody sets it', (name) => {
  expect(readVariable(name)).toBeUndefined();
});

test('the configuration is leasehold.yaml unless LEASEHOLD_CONFIG names another', () => {
  delete process.env['LEASEHOLD_CONFIG'];
  expect(configPath()).toBe('leasehold.yaml');
  process.env['LEASEHOLD_CONFIG'] = '';
  expect(configPath()).toBe('leasehold.yaml');
  process.env['LEASEHOLD_CONFIG'] = '/etc/leasehold.yaml';
  expect(configPath()).toBe('/etc/leasehold.yaml');
});

test('the log level is info unless LEASEHOLD_LOG_LEVEL names another, and junk is refused with the allowed ones', () => {
  delete process.env['LEASEHOLD_LOG_LEVEL'];
  expect(logLevel()).toBe('info');
  process.env['LEASEHOLD_LOG_LEVEL'] = 'debug';
  expect(logLevel()).toBe('debug');
  process.env['LEASEHOLD_LOG_LEVEL'] = 'LOUD\n';
  expect(logLevel).toThrow('LEASEHOLD_LOG_LEVEL: "LOUD?" is no log level. Allowed: fatal, error, warn, info');
});
