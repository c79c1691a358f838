import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { describeIf } from '../../support/describe-if';
import { blocksOf } from '../../support/doc-blocks';
import { toldMetrics } from '../../support/told-metrics';

const ROOT = join(__dirname, '../../..');
const DEPLOY = join(ROOT, 'deploy/prometheus');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
}

const { groups } = parse(read('deploy/prometheus/leasehold.rules.yml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const dashboard = JSON.parse(read('deploy/grafana/leasehold.json')) as Dashboard;

/** As Prometheus is asked by Grafana. */
const queries = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.flatMap(({ expr }) => (expr === undefined ? [] : [expr])),
].map((expr) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$integration', '.*'));

/** Metrics in an expression, with the labels by which their samples are chosen. */
function metricsIn(expr: string): readonly { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/\b((?:leasehold|temporal)_[a-z_]+)\b(?:\{([^}]*)\})?/g)].map(([, name, labels = '']) => ({
    name: name!,
    labels: [...labels.matchAll(/([a-z_]+)\s*(?:=|!)/g)].map(([, label]) => label!),
  }));
}

test('rules and dashboard ask for metrics and labels that are told', async () => {
  const told = await toldMetrics();
  const recorded = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));
  const asked = [...rules.map(({ expr }) => expr), ...queries];
  for (const expr of asked) {
    for (const { name, labels } of metricsIn(expr)) {
      const known = told.get(name) ?? told.get(name.replace(/_(bucket|sum|count)$/, ''));
      expect([name, known]).not.toEqual([name, undefined]);
      const chosen = labels.filter((label) => label !== 'le' && !known!.includes(label));
      expect([expr, chosen]).toEqual([expr, []]);
    }
    for (const [name] of expr.matchAll(/\bleasehold:[a-z_:0-9]+/g)) expect(recorded).toContain(name);
  }
  expect(asked.flatMap(metricsIn).length).toBeGreaterThan(60);
});

const NAME = /\b(?:(?:leasehold|temporal)_|leasehold:)[a-z_:0-9]+|\bALERTS\b/;

/** Labels that an aggregation keeps or a join goes by, each list with the first metric after it. */
function groupingsIn(expr: string): readonly { readonly labels: readonly string[]; readonly name: string }[] {
  return [...expr.matchAll(/\b(?:by|on|without|ignoring) \(([^)]*)\)/g)].map(({ 1: list, index }) => ({
    labels: list!.split(',').map((label) => label.trim()),
    name: NAME.exec(expr.slice(index))![0],
  }));
}

/** What its samples have, with what Prometheus and a rule that records add. */
function labelsOf(name: string, told: ReadonlyMap<string, readonly string[]>): readonly string[] {
  if (name === 'ALERTS') return ['alertname', 'integration'];
  if (name.startsWith('leasehold:')) return ['integration', 'seen_by'];
  return [...(told.get(name.replace(/_(bucket|sum|count)$/, '')) ?? told.get(name) ?? []), 'le', 'job', 'instance'];
}

test('rules and dashboard group and join by labels that are told', async () => {
  const told = await toldMetrics();
  const groupings = [...rules.map(({ expr }) => expr), ...queries].flatMap(groupingsIn);
  for (const { labels, name } of groupings) {
    const known = labelsOf(name, told);
    expect([name, labels.filter((label) => !known.includes(label))]).toEqual([name, []]);
  }
  expect(groupings.length).toBeGreaterThan(60);
});

test('legends name labels that what they stand for still has', async () => {
  const told = await toldMetrics();
  let named = 0;
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      const kept = groupingsIn(expr).flatMap(({ labels }) => labels);
      const [first] = NAME.exec(expr)!;
      const known = /\b(sum|max|min|count)\b/.test(expr) ? kept : labelsOf(first, told);
      const labels = [...legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label]) => label!);
      expect([title, labels.filter((label) => !known.includes(label))]).toEqual([title, []]);
      named += labels.length;
    }
  }
  expect(named).toBeGreaterThan(30);
});

test('the variable of the dashboard finds its integrations by a metric that is told', async () => {
  const told = await toldMetrics();
  const { query } = dashboard.templating.list.find(({ name }) => name === 'integration')!;
  const [, metric] = /label_values\((\w+), integration\)/.exec(JSON.stringify(query))!;
  expect(told.get(metric!)).toContain('integration');
});

describe.each(alerts.map((rule) => [rule.alert!, rule] as const))('the alert %s', (name, rule) => {
  test('says how bad it is, in words, and of which integration where it knows', () => {
    expect(['critical', 'warning']).toContain(rule.labels?.['severity']);
    const { summary = '', description = '' } = rule.annotations ?? {};
    expect(summary.length).toBeGreaterThan(20);
    expect(summary.length).toBeLessThan(100);
    expect(description).toMatch(/\.$/);
    if (/^(max|sum|\s*histogram_quantile\(0\.9, sum) by \(integration/.test(rule.expr)) {
      expect(summary).toContain('{{ $labels.integration }}');
      expect(description).toContain('{{ $labels.integration }}');
    }
  });

  test('has its section in the runbook, with what to do at night', () => {
    expect(rule.annotations?.['runbook']).toBe(`docs/runbook.md#${name.toLowerCase()}`);
    const [, section] = new RegExp(`\n## ${name}\n(.*?)(?=\n## |$)`, 's').exec(read('docs/runbook.md'))!;
    for (const word of ['Means', 'Urgent', 'Look', 'Mend', 'Escalate']) expect(section).toContain(`**${word}**`);
    // In the list at its head, among those of its severity.
    const list =
      rule.labels?.['severity'] === 'critical' ? /Wake up \(`critical`\):(.*?)\n- /s : /\(`warning`\):(.*?)\n\n/s;
    expect(list.exec(read('docs/runbook.md'))![1]).toContain(`[${name}](#${name.toLowerCase()})`);
  });

  test('is seen to fire by a test of its own, and to be silent', () => {
    const tests = read('deploy/prometheus/leasehold.rules.test.yml');
    expect(tests).toContain(`- labels: 'ALERTS{alertname="${name}"`);
    expect(tests).toMatch(
      new RegExp(`alertname="${name}", alertstate="firing"\\}\n +eval_time: \\w+\n +exp_samples: \\[\\]`),
    );
  });
});

test('the runbook has no section of an alert that is none', () => {
  const sections = [...read('docs/runbook.md').matchAll(/^## (Leasehold\w+)$/gm)].map(([, name]) => name);
  expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test('every panel has a title, a source that can be chosen, a place of its own and something to ask', () => {
  const shown = dashboard.panels.filter(({ type }) => type !== 'row');
  expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'At a glance',
    'Issuing',
    'Removal',
    'Providers',
    'Sweep',
    'API',
    'Workers and Temporal',
  ]);
  for (const { title, description, datasource, targets = [] } of shown) {
    expect(title).not.toBe('');
    expect([title, description ?? '']).not.toEqual([title, '']);
    expect([title, datasource?.uid]).toEqual([title, '${datasource}']);
    expect([title, targets.length]).not.toEqual([title, 0]);
  }
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${String(x + (index % w))}/${String(y + Math.floor(index / w))}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

describeIf(withoutPromtool(), 'promtool', () => {
  test('takes the rules, and all alerts do as their tests say', () => {
    expect(promtool('check', 'rules', 'leasehold.rules.yml')).toContain('SUCCESS');
    expect(promtool('test', 'rules', 'leasehold.rules.test.yml')).toContain('SUCCESS');
  }, 60_000);

  test('takes the example of a configuration', () => {
    expect(promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
  });

  test('takes the job for a cluster', () => {
    const [block] = blocksOf('docs/kubernetes.md', 'yaml').filter(({ code }) => code.includes('scrape_configs'));
    // Debian builds Prometheus without the discovery of Kubernetes, so that what is checked is the rest.
    const text = block!.code.replace(/kubernetes_sd_configs:\n.*\n.*\n/, 'static_configs: [{ targets: [a] }]\n');
    withFile(text, (file) => {
      expect(promtool('check', 'config', file)).toContain('SUCCESS');
    });
  });

  test('takes every query of the dashboard', () => {
    const asRules = queries.map((expr, index) => ({ record: `query:${String(index)}`, expr }));
    withFile(stringify({ groups: [{ name: 'queries', rules: asRules }] }), (file) => {
      expect(promtool('check', 'rules', file)).toContain(`${String(queries.length)} rules found`);
    });
  });
});

function withFile(text: string, use: (file: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'leasehold-prometheus-'));
  try {
    const file = join(directory, 'file.yml');
    writeFileSync(file, text);
    use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function withoutPromtool(): string | null {
  return spawnSync('promtool', ['--version']).error === undefined
    ? null
    : 'promtool is not installed (Debian and Ubuntu have it in the package prometheus).';
}

/** What it says; fails with that if it does not succeed. */
function promtool(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: DEPLOY, encoding: 'utf8' });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout + stderr;
}
