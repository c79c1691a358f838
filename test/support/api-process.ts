import { startService } from './service-process';
import type { ServicePlace, ServiceProcess } from './service-process';

/** The HTTP API as it is run in production, on a port of its own. */
export interface ApiProcess extends ServiceProcess {
  readonly url: string;
  /** Where it serves metrics without a token; null: nowhere. */
  readonly metricsUrl: string | null;
}

export async function startApiProcess(
  flags: readonly string[],
  environment: Readonly<Record<string, string>>,
  place?: ServicePlace,
): Promise<ApiProcess> {
  const listen = flags.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  // No balancer to wait for, unless a test has one.
  const own = { LEASEHOLD_API_LEAVE: '0s', ...environment };
  const service = await startService('api/main.js', 'The API is ready.', [...listen, ...flags], own, place);
  const told = service
    .output()
    .split('\n')
    .find((line) => line.includes('The API is ready.'));
  const { url, metrics } = JSON.parse(told ?? '') as { readonly url: string; readonly metrics: string | null };
  return { ...service, url, metricsUrl: metrics };
}
