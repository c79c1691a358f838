/** Metrics of another exporter that are told on, and what is left of their labels. */
export interface Wanted {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** All others are dropped, and what then is the same is added up. */
  readonly labels: readonly string[];
}

/** A sample that is told with 0 until there is one. */
export interface Zero {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const SAMPLE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/;
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * Picks metrics out of a text in the format of Prometheus. What comes of it is bounded by what is asked for, whatever the text holds:
 * no other metric, no other label.
 * @param keep answers the value that a label is told with.
 */
export function pickSamples(
  text: string,
  wanted: readonly Wanted[],
  zeros: readonly Zero[] = [],
  keep: (label: string, value: string) => string = (_, value) => value,
): string {
  const families = new Map<string, Wanted>();
  const sums = new Map<Wanted, Map<string, number>>();
  for (const each of wanted) {
    sums.set(each, new Map());
    for (const suffix of each.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) {
      families.set(each.name + suffix, each);
    }
  }
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const family = families.get(name);
    if (family === undefined) continue;
    const kept = [...labels.matchAll(LABEL)]
      .map(([, label = '', said = '']) => [label, said] as const)
      .filter(([label]) => label === 'le' || family.labels.includes(label))
      .map(([label, said]) => `${label}="${keep(label, said)}"`);
    add(sums.get(family), sampleOf(name, kept), Number(value));
  }
  for (const { name, labels } of zeros) {
    const family = families.get(name);
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    if (family !== undefined) add(sums.get(family), sampleOf(name, pairs), 0);
  }
  return [...sums]
    .filter(([, samples]) => samples.size > 0)
    .map(([{ name, help, type }, samples]) => {
      const lines = [...samples].map(([sample, value]) => `${sample} ${String(value)}\n`);
      return `\n# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

/** The same for the same labels, in whatever order they came. */
function sampleOf(name: string, labels: readonly string[]): string {
  return labels.length === 0 ? name : `${name}{${[...labels].sort().join(',')}}`;
}

function add(samples: Map<string, number> | undefined, sample: string, value: number): void {
  samples?.set(sample, (samples.get(sample) ?? 0) + value);
}
