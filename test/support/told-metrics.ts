import { createMetrics } from '../../telemetry/metrics';
import { SDK_METRICS } from '../../worker/sdk-metrics';

/** A metric by its name, and the labels that its samples have. */
export type ToldMetrics = ReadonlyMap<string, readonly string[]>;

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? /;
const LABEL = /([a-z_]+)="(?:[^"\\]|\\.)*"/g;

/** The metrics on a page. The parts of a histogram are one. */
export function metricsOn(page: string): ToldMetrics {
  const found = new Map<string, Set<string>>();
  for (const [, name, kind] of page.matchAll(/^# TYPE ([a-z_]+) (\w+)$/gm)) {
    found.set(name!, new Set());
    const parts = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const line of page.split('\n')) {
      const [, sample, labels = ''] = SAMPLE.exec(line) ?? [];
      if (!parts.some((part) => sample === name! + part)) continue;
      for (const [, label] of labels.matchAll(LABEL)) if (label !== 'le') found.get(name!)?.add(label!);
    }
  }
  return new Map([...found].map(([name, labels]) => [name, [...labels].toSorted()]));
}

/** Everything that workers and APIs may tell, after everything was counted once. */
export async function toldMetrics(): Promise<ToldMetrics> {
  const metrics = createMetrics({ part: 'worker', version: '1' });
  metrics.issued('a');
  metrics.refused('a', 'Refused');
  metrics.ended('a', 'expired', 1);
  metrics.stuck('a');
  metrics.swept('a', 'closed');
  metrics.sweepEnded('a', 'done', 0, 0);
  metrics.providerError('a', 'provision', 'Throttled');
  metrics.attempted('a', 'provision', 'done', 1);
  metrics.quota('a', 1, 2);
  metrics.alertFailed('hooks');
  metrics.auditFailed();
  metrics.answered('/', 'GET', 200, 1);
  metrics.issueAnswered('a', 'failed', 'Refused', 1);
  metrics.expect({ providers: { integrations: [{ name: 'a', sweptEveryMs: 1 }], errors: [], reasons: [] } });
  metrics.onScrape(() => Promise.resolve([{ integration: 'a', state: 'overdue', count: 1, oldestMs: 1 }]));
  metrics.onSurvey(() => Promise.resolve([{ queue: 'a/provision', served: true }]));
  const own = metricsOn((await metrics.text()).body);
  return new Map([...own, ...SDK_METRICS.map(({ name, labels }) => [name, labels.toSorted()] as const)]);
}
