import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse, parseAllDocuments } from 'yaml';
import { integrationTypes } from '../../../activities/integrations/registry';
import { createApiCommand } from '../../../api/command';
import type { Config } from '../../../config/load';
import { parseConfig } from '../../../config/load';
import { version } from '../../../package.json';
import { createWorkerCommand } from '../../../worker/command';
import type { WorkerFlags } from '../../../worker/command';
import { blocksOf } from '../../support/doc-blocks';
import { buildManifests, readDocuments, readKustomization } from '../../support/kubernetes';
import type { Manifest } from '../../support/kubernetes';
import { readVariables } from '../../support/read-variables';

const ROOT = join(__dirname, '../../..');
const DIRECTORY = join(ROOT, 'deploy/kubernetes');
const VERSIONED = join(DIRECTORY, 'versioned');
const VERSIONED_WORKER = `worker-workflows-${version.replaceAll('.', '-')}-1`;

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme?: string };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
      readonly fieldRef?: { readonly fieldPath: string };
    };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly securityContext: unknown;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
  readonly lifecycle?: unknown;
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly optional?: boolean; readonly defaultMode: number };
  readonly projected?: { readonly sources: readonly { readonly serviceAccountToken: { readonly path: string } }[] };
  readonly emptyDir?: { readonly medium: string; readonly sizeLimit: string };
}

interface Pod {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: unknown;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Deployment {
  readonly name: string;
  readonly labels: Labels;
  readonly selector: Labels;
  readonly strategy: unknown;
  readonly pod: Pod;
  readonly container: Container;
}

interface ScrapeJob {
  readonly job_name: string;
  readonly kubernetes_sd_configs: unknown;
  readonly relabel_configs: readonly {
    readonly source_labels: readonly string[];
    readonly regex?: string;
    readonly action?: 'keep' | 'drop';
  }[];
}

interface NetworkPolicy {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly unknown[];
  readonly egress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
}

const manifests = buildManifests(DIRECTORY);
const all = [...manifests, ...buildManifests(VERSIONED)];
const ofKind = (kind: string): readonly Manifest[] => all.filter((manifest) => manifest.kind === kind);
/** Where the kind is known, its spec with its name. */
interface Specs {
  readonly Deployment: {
    readonly strategy: unknown;
    readonly selector: Selector;
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
  };
  readonly PodDisruptionBudget: { readonly selector: Selector; readonly maxUnavailable: number };
  readonly NetworkPolicy: NetworkPolicy;
  readonly Service: {
    readonly selector: Labels;
    readonly sessionAffinity: string;
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
  };
}
const specsOf = <K extends keyof Specs>(kind: K): readonly (Specs[K] & { readonly name: string })[] =>
  ofKind(kind).map(({ metadata, spec }) => ({ ...(spec as Specs[K]), name: metadata.name }));

const deployments: readonly Deployment[] = specsOf('Deployment').map(({ name, strategy, selector, template }) => ({
  name,
  strategy,
  selector: selector.matchLabels ?? {},
  labels: template.metadata.labels,
  pod: template.spec,
  container: template.spec.containers[0]!,
}));
const config: Config = parseConfig(
  readFileSync(join(DIRECTORY, 'leasehold.yaml'), 'utf8'),
  integrationTypes,
  'leasehold.yaml',
);
const page = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8');

const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

/** The options of a worker or of the API, as its command reads them. */
function optionsOf({ command, args }: Container): { readonly part: string; readonly flags: WorkerFlags } {
  expect(command).toEqual(['leasehold']);
  const [part = '', ...words] = args;
  const commands: Readonly<Record<string, Command>> = {
    worker: createWorkerCommand('worker'),
    api: createApiCommand('api'),
  };
  const found = commands[part];
  if (found === undefined) throw new Error(`the containers run no command ${part}`);
  found.exitOverride().configureOutput({ writeErr: () => undefined });
  found.parse(words, { from: 'user' });
  return { part, flags: found.opts() };
}

/** The files that are referred to where a value may stand, as the process would ask for them. */
function filesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('file:') ? [value.slice(5)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    /(^|_)file$/.test(key) && typeof each === 'string' ? [each] : filesIn(each),
  );
}

/** The configuration as it is written, by the integration. */
const written = readDocuments(join(DIRECTORY, 'leasehold.yaml'))[0] as {
  readonly integrations: Readonly<Record<string, unknown>>;
  readonly alerts: unknown;
  readonly api: { readonly tls: Labels };
};

/** What a process refers to, of all that is in the configuration. */
function filesOf({ container }: Deployment): readonly string[] {
  const { part, flags } = optionsOf(container);
  if (part === 'api') return Object.values(written.api.tls);
  if (flags.workflowsOnly === true) return filesIn(written.alerts);
  return (flags.integrations ?? []).flatMap((name) => filesIn(written.integrations[name]));
}

const RESTRICTED = {
  pod: {
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    fsGroup: 1000,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
  container: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
};

test('the API, a worker of workflows, one of each integration and one of workflows with a version are deployed', () => {
  const shares = deployments.map(({ name, container }) => {
    const { part, flags } = optionsOf(container);
    return [name, part, flags.workflowsOnly === true ? 'workflows' : flags.integrations];
  });
  expect(shares.toSorted()).toEqual([
    ['api', 'api', undefined],
    ['worker-aws', 'worker', ['aws-prod']],
    ['worker-postgres', 'worker', ['postgres-prod']],
    ['worker-workflows', 'worker', 'workflows'],
    [VERSIONED_WORKER, 'worker', 'workflows'],
  ]);
  expect(Object.keys(config.integrations)).toEqual(['aws-prod', 'postgres-prod']);
});

describe.each(deployments.map((deployment) => [deployment.name, deployment] as const))('%s', (name, deployment) => {
  const { pod, container, labels, selector } = deployment;

  test('runs the image of one release, not whatever is newest', () => {
    expect(pod.containers).toHaveLength(1);
    expect(container.image).toBe(`registry.example.com/leasehold:${version}`);
  });

  test('is nobody in its container: no root, no capability, no file system to write to but /tmp in memory', () => {
    expect(pod.securityContext).toEqual(RESTRICTED.pod);
    expect(container.securityContext).toEqual(RESTRICTED.container);
    const tmp = pod.volumes.filter(({ emptyDir }) => emptyDir !== undefined);
    expect(tmp).toEqual([{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } }]);
    for (const { name: volume, mountPath, readOnly } of container.volumeMounts) {
      expect([volume, mountPath, readOnly === true]).toEqual([volume, mountPath, volume !== 'tmp']);
    }
  });

  test('has no token of the cluster, and no variables of its services', () => {
    const account = ofKind('ServiceAccount').find(({ metadata }) => metadata.name === pod.serviceAccountName);
    expect(account).toMatchObject({ automountServiceAccountToken: false });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
  });

  test('is bounded in memory, asks for what it needs, and is not throttled', () => {
    expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
    expect(Object.keys(container.resources.limits)).toEqual(['memory']);
  });

  test('is asked whether it lives by a path and a port that it serves', () => {
    const port = (called: string): number | undefined =>
      container.ports.find(({ name: each }) => each === called)?.containerPort;
    const served = (variable: string): string | undefined =>
      container.env.find(({ name: each }) => each === variable)?.value;
    const isApi = name === 'api';
    const asked = isApi ? 'https' : 'metrics';
    for (const { httpGet } of [container.livenessProbe, container.readinessProbe]) {
      expect(httpGet).toEqual({
        path: '/healthz',
        port: asked,
        ...(config.api.tls !== null && isApi ? { scheme: 'HTTPS' } : {}),
      });
    }
    expect(served('LEASEHOLD_METRICS')).toBe(`0.0.0.0:${port('metrics')}`);
    if (isApi) expect(served('LEASEHOLD_API')).toBe(`0.0.0.0:${port('https')}`);
  });

  test('is replaced one by one, and is given the time to end what it does', () => {
    expect(deployment.strategy).toEqual({ rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(container.lifecycle).toBeUndefined();
    const { flags } = optionsOf(container);
    const served = flags.integrations ?? [];
    const attempts = served.map((each) => config.integrations[each]!.timings.attemptTimeoutMs / 1_000);
    const needed = name === 'api' ? 100 : Math.max(0, ...attempts) + 40;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(needed);
  });

  test('is what its selector, one budget and the policies of the network mean, and nothing else is', () => {
    expect(selects(selector, labels)).toBe(true);
    const own = deployments.filter((other) => selects(selector, other.labels));
    expect(own.map((other) => other.name)).toEqual([name]);
    const budgets = specsOf('PodDisruptionBudget');
    const meant = budgets.filter((budget) => selects(budget.selector.matchLabels ?? {}, labels));
    expect(meant.map((budget) => [budget.name, budget.maxUnavailable])).toEqual([[name, 1]]);
  });

  test('finds the configuration and Temporal, by variables that are read', () => {
    const known = readVariables();
    const maps = new Map(ofKind('ConfigMap').map(({ metadata, data }) => [metadata.name, data ?? {}]));
    const variables = [
      ...container.env.map(({ name: variable }) => variable),
      ...container.envFrom.flatMap(({ configMapRef }) => Object.keys(maps.get(configMapRef.name)!)),
    ];
    expect(variables).toEqual(expect.arrayContaining(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'LEASEHOLD_CONFIG']));
    expect(variables.filter((variable) => !known.has(variable))).toEqual([]);
    expect(new Set(variables).size).toBe(variables.length);

    const path = container.env.find(({ name: variable }) => variable === 'LEASEHOLD_CONFIG')!.value!;
    const mount = container.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`))!;
    const volume = pod.volumes.find(({ name: each }) => each === mount.name)!;
    const file = path.slice(mount.mountPath.length + 1);
    expect(maps.get(volume.configMap!.name)).toHaveProperty([file]);
    // Not one file of it: that one would never change.
    for (const { subPath } of container.volumeMounts) expect(subPath).toBeUndefined();
  });

  test('has the files that it refers to, and no credential of anybody else', () => {
    const wanted = filesOf(deployment);
    expect(wanted.length).toBeGreaterThan(0);
    const mounts = container.volumeMounts.filter(({ mountPath }) => mountPath.startsWith('/run/secrets/'));
    for (const path of wanted) {
      expect([path, mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`))]).toEqual([path, true]);
    }
    const needed = mounts.filter(({ mountPath }) => wanted.some((path) => path.startsWith(`${mountPath}/`)));
    expect(mounts.filter((mount) => !needed.includes(mount)).map(({ name: volume }) => volume)).toEqual(['temporal']);
    for (const { name: volume, projected } of pod.volumes) {
      const mount = mounts.find((each) => each.name === volume)?.mountPath;
      for (const { serviceAccountToken } of projected?.sources ?? []) {
        expect(wanted).toEqual([`${mount}/${serviceAccountToken.path}`]);
      }
    }
  });

  test('names secrets and holds none, and the page tells what is in each', () => {
    const referred: string[] = [];
    for (const { name: variable, value, valueFrom } of container.env) {
      const secret = valueFrom?.secretKeyRef;
      if (secret !== undefined) referred.push(`${secret.name}/${secret.key}`);
      if (/KEY|TOKEN|SECRET|PASSWORD/.test(variable)) expect([variable, value]).toEqual([variable, undefined]);
    }
    const files = filesOf(deployment);
    for (const { name: volume, secret } of pod.volumes) {
      if (secret === undefined) continue;
      expect([volume, secret.defaultMode]).toEqual([volume, 0o440]);
      const { mountPath } = container.volumeMounts.find((mount) => mount.name === volume)!;
      const used = files.filter((file) => file.startsWith(`${mountPath}/`));
      referred.push(...used.map((file) => `${secret.secretName}/${file.slice(mountPath.length + 1)}`));
      if (secret.optional === true) referred.push(`${secret.secretName}/tls.crt`, `${secret.secretName}/tls.key`);
    }
    expect(referred.length).toBeGreaterThan(2);
    const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (.*) \|$/gm)];
    for (const each of referred) {
      const [secret = '', key = ''] = each.split('/');
      const row = rows.find(([, title]) => title === secret)?.[2];
      expect([each, row?.includes(`\`${key}\``)]).toEqual([each, true]);
    }
  });
});

test('the workflows with a version tell Temporal the build that their label says', () => {
  const versioned = deployments.find(({ name }) => name === VERSIONED_WORKER)!;
  const build = versioned.labels['app.kubernetes.io/version'];
  expect(versioned.name).toBe(`worker-workflows-${build!.replaceAll('.', '-')}`);
  // The image of another release under this build is what a version must never become.
  expect(readKustomization(VERSIONED).images).toMatchObject([{ newTag: build!.replace(/-\d+$/, '') }]);
  expect(versioned.container.env).toEqual(
    expect.arrayContaining([
      { name: 'TEMPORAL_DEPLOYMENT_NAME', value: 'leasehold' },
      {
        name: 'TEMPORAL_WORKER_BUILD_ID',
        valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/version']" } },
      },
    ]),
  );
  const plain = deployments.find(({ name }) => name === 'worker-workflows')!;
  const others = versioned.container.env.filter(
    ({ name }) => !['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'].includes(name),
  );
  expect({ ...versioned.container, env: others }).toEqual(plain.container);
});

test('both kustomizations say the same of Temporal and of the image', () => {
  const temporal = (directory: string): unknown =>
    readKustomization(directory).configMapGenerator.find(({ name }) => name === 'temporal');
  expect(temporal(VERSIONED)).toEqual(temporal(DIRECTORY));
  expect(readKustomization(VERSIONED).images).toEqual(readKustomization(DIRECTORY).images);
});

test('a changed configuration reaches running pods, and changed variables make new ones', () => {
  const options = readKustomization(DIRECTORY).configMapGenerator.map((each) => [
    each.name,
    each.options?.disableNameSuffixHash ?? false,
  ]);
  expect(options).toEqual([
    ['leasehold', true],
    ['temporal', false],
  ]);
});

describe('the network', () => {
  const policies = specsOf('NetworkPolicy');
  const meaning = ({ labels }: Deployment): readonly (NetworkPolicy & { readonly name: string })[] =>
    policies.filter(({ podSelector }) => selects(podSelector.matchLabels ?? {}, labels));

  test('lets nothing in and nothing out by itself', () => {
    expect(policies.find(({ name }) => name === 'nothing')).toEqual({
      name: 'nothing',
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    // What is selected for one direction by a policy without rules there is closed there too.
    for (const { policyTypes, ingress, egress, name } of policies.filter((policy) => policy.name !== 'nothing')) {
      expect([name, ...policyTypes]).toEqual([name, ingress === undefined ? 'Egress' : 'Ingress']);
      expect([name, (ingress ?? egress)!.length]).toEqual([name, 1]);
    }
  });

  test.each<[string, string[]]>([
    ['api', ['api-clients', 'dns', 'metrics', 'nothing', 'temporal']],
    ['worker-workflows', ['dns', 'metrics', 'nothing', 'temporal', 'worker-workflows-webhooks']],
    [VERSIONED_WORKER, ['dns', 'metrics', 'nothing', 'temporal', 'worker-workflows-webhooks']],
    ['worker-aws', ['dns', 'metrics', 'nothing', 'temporal', 'worker-aws-provider']],
    ['worker-postgres', ['dns', 'metrics', 'nothing', 'temporal', 'worker-postgres-provider']],
  ])('lets %s reach Temporal, names, and what it is there for', (name, expected) => {
    const deployment = deployments.find((each) => each.name === name)!;
    expect(
      meaning(deployment)
        .map((policy) => policy.name)
        .toSorted(),
    ).toEqual(expected);
  });

  test('opens ports that are served, and those of the providers', () => {
    const ports = policies.flatMap(({ name, ingress, egress }) =>
      [...(ingress ?? []), ...(egress ?? [])].flatMap((rule) =>
        (rule as { readonly ports: readonly { readonly port: number }[] }).ports.map(({ port }) => [name, port]),
      ),
    );
    expect(ports).toEqual([
      ['temporal', 7233],
      ['dns', 53],
      ['dns', 53],
      ['metrics', 9464],
      ['api-clients', 8400],
      ['worker-workflows-webhooks', 443],
      ['worker-aws-provider', 443],
      ['worker-postgres-provider', 5432],
    ]);
    const maps = ofKind('ConfigMap').find(({ metadata }) => metadata.name === 'temporal')!;
    expect(maps.data!['TEMPORAL_ADDRESS']).toMatch(/^temporal-frontend\.temporal\.svc:7233$/);
    const served = deployments.flatMap(({ container }) => container.ports.map(({ containerPort }) => containerPort));
    expect(new Set(served)).toEqual(new Set([8400, 9464]));
  });
});

test('Prometheus finds every process, once, under a name that the rules know', () => {
  const [block] = blocksOf('docs/kubernetes.md', 'yaml').filter(({ code }) => code.includes('scrape_configs'));
  const { scrape_configs: jobs } = parse(block!.code) as { readonly scrape_configs: readonly ScrapeJob[] };
  expect(jobs.map(({ job_name: name }) => name)).toEqual([expect.stringMatching(/^leasehold/)]);
  const [job] = jobs;
  expect(job!.kubernetes_sd_configs).toEqual([{ role: 'pod', namespaces: { names: ['leasehold'] } }]);
  for (const { labels, pod } of deployments) {
    // One target for each port that is declared.
    const ports = pod.containers.flatMap((container) => container.ports);
    const kept = ports.filter(({ containerPort }) => {
      const meta: Labels = {
        __meta_kubernetes_pod_label_app_kubernetes_io_name: labels['app.kubernetes.io/name']!,
        __meta_kubernetes_pod_container_port_number: String(containerPort),
        __meta_kubernetes_pod_phase: 'Running',
      };
      return job!.relabel_configs.every(({ source_labels: [source = ''], regex = '', action }) => {
        const isMeant = new RegExp(`^(?:${regex})$`).test(meta[source] ?? '');
        return action === undefined || (action === 'drop' ? !isMeant : isMeant);
      });
    });
    expect(kept).toEqual([{ name: 'metrics', containerPort: 9464 }]);
  }
});

test('one client always meets the same API, and TLS ends there', () => {
  const [service] = specsOf('Service');
  const meant = deployments.filter(({ labels }) => selects(service!.selector, labels));
  expect(meant.map(({ name }) => name)).toEqual(['api']);
  expect(service!.sessionAffinity).toBe('ClientIP');
  expect(service!.ports.map(({ targetPort }) => targetPort)).toEqual(['https']);
  expect(config.api.tls).not.toBeNull();
});

test('the pod of the examples asks the API by a name in its certificate, at the port of its Service', () => {
  const example = 'examples/kubernetes-sidecar/pod.yaml';
  const { spec } = (readDocuments(join(ROOT, example)) as readonly Manifest[]).find(({ kind }) => kind === 'Pod')!;
  const { env } = (spec as { readonly initContainers: readonly Container[] }).initContainers[0]!;
  const { hostname, port, protocol } = new URL(env.find(({ name }) => name === 'LEASEHOLD_HOST')!.value!);
  const certificates = blocksOf('docs/kubernetes.md', 'yaml')
    .flatMap(({ code }) => parseAllDocuments(code).map((each) => each.toJS() as Manifest))
    .filter(({ kind }) => kind === 'Certificate');
  expect(protocol).toBe('https:');
  expect(certificates.map((each) => (each.spec as { readonly dnsNames: unknown }).dnsNames)).toEqual([
    expect.arrayContaining([hostname]),
  ]);
  const [service] = specsOf('Service');
  expect(hostname.split('.')[0]).toBe(service!.name);
  expect(service!.ports.map((each) => String(each.port))).toEqual([port]);
});

test('the namespace refuses what is less strict, and nothing is put elsewhere', () => {
  const [namespace] = ofKind('Namespace');
  expect(namespace!.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  for (const { kind, metadata } of all) {
    if (kind !== 'Namespace')
      expect([kind, metadata.name, metadata.namespace]).toEqual([kind, metadata.name, 'leasehold']);
  }
  expect(ofKind('Secret')).toEqual([]);
});

test('every service account is one of a Deployment', () => {
  const named = new Set(deployments.map(({ pod }) => pod.serviceAccountName));
  expect(new Set(ofKind('ServiceAccount').map(({ metadata }) => metadata.name))).toEqual(named);
});
