import { tryApiKey, tryKeyPair } from '../datadog-calls';
import { LEASABLE } from '../development';
import { checkRevokes, issue } from './scene';
import type { Scene } from './scene';

/** A lease of what an application needs of Datadog: an API key and an application key. */
export async function revokeDatadogEarly(scene: Scene): Promise<void> {
  const { stack, story } = scene;
  story.heading('A Datadog API key and application key for 30 minutes, revoked early');
  const { url } = stack.datadog;
  const leased = await issue(scene, LEASABLE.datadog, '30m', ({ SITE: site }) => `a pair of keys for ${String(site)}`);
  const { lease, entity } = leased;
  const named = (): number =>
    [...stack.datadog.apiKeys(), ...stack.datadog.applicationKeys()].filter(({ name }) => name === entity).length;
  story.check(named() === 2, `Datadog has ${named()} keys of the name ${entity}`);
  const alone = await tryApiKey(url, lease.credential);
  const pair = await tryKeyPair(url, lease.credential);
  story.check(alone === 'ok' && pair === 'ok', `Datadog honours them: API key ${alone}, pair ${pair}`);
  await checkRevokes(scene, leased, 'Datadog');
  const deadKey = await tryApiKey(url, lease.credential);
  const deadPair = await tryKeyPair(url, lease.credential);
  story.check(
    deadKey === 'HTTP 403' && deadPair === 'HTTP 403',
    `the same keys are refused: API key ${deadKey}, pair ${deadPair}`,
  );
  story.check(named() === 0, `Datadog has ${named()} keys of that name`);
}
