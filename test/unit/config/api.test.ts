import { load, problemsOf } from '../../support/config-text';

const api = (settings: string): string => `version: 1\napi: {${settings}}`;

test('how the API is served is read, with its defaults', () => {
  expect(load(api('')).api).toEqual({ tls: null, trustProxy: [], requestsPerMinute: 600 });
  expect(
    load(api('tls: {certificate: /run/tls.crt, key: /run/tls.key}, trust_proxy: [10.0.0.0/8, "::1"]')).api,
  ).toEqual({
    tls: { certificate: '/run/tls.crt', key: '/run/tls.key' },
    trustProxy: ['10.0.0.0/8', '::1'],
    requestsPerMinute: 600,
  });
  expect(load(api('requests_per_minute: 60')).api.requestsPerMinute).toBe(60);
});

test.each([
  ['tls: {certificate: /run/tls.crt}', 'api.tls.key: is missing'],
  ['tls: {certificate: tls.crt, key: /run/tls.key}', 'api.tls.certificate: must be an absolute path'],
  ['tls: true', 'api.tls: must be a mapping'],
  ['trust_proxy: true', 'api.trust_proxy: must be a list'],
  ['trust_proxy: [proxy.example.com]', 'api.trust_proxy[0]: must be an IP address or a network such as 10.0.0.0/8'],
  ['trust_proxy: ["::1", 10.0.0.0/33]', 'api.trust_proxy[1]: must be an IP address or a network'],
  ['trust_proxy: [10.0.0.0/]', 'api.trust_proxy[0]: must be an IP address or a network'],
  ['trust_proxy: ["0.0.0.0/0"]', 'api.trust_proxy[0]: must be an IP address or a network'],
  ['trust_proxy: ["fe80::1%eth0"]', 'api.trust_proxy[0]: must be an IP address or a network'],
  ['requests_per_minute: 0', 'api.requests_per_minute: must be at least 1'],
  ['requests_per_minute: 1.5', 'api.requests_per_minute: must be a whole number'],
  ['port: 80', 'api.port: is not known here. Allowed: tls, trust_proxy, requests_per_minute'],
])('%s is refused with what is allowed', (settings, problem) => {
  expect(problemsOf(api(settings))).toEqual([expect.stringContaining(problem)]);
});
