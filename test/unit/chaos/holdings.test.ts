import { createHoldings } from '../../chaos/holdings';
import type { Holding, Holdings } from '../../chaos/holdings';

function held(leaseId: string, more: Partial<Holding> = {}): Holding {
  const now = Date.now();
  return {
    leaseId,
    holder: 'ada',
    integration: 'aws',
    credential: {},
    askedAt: now,
    worksUntil: now + 60_000,
    ...more,
  };
}

function liveIn(holdings: Holdings): readonly string[] {
  return holdings.live().map(({ leaseId }) => leaseId);
}

test('what is held is live until its expiry, or until its end is asked for', () => {
  const holdings = createHoldings();
  holdings.add(held('one'));
  holdings.add(held('two'));
  holdings.add(held('past', { worksUntil: Date.now() - 1 }));
  expect(liveIn(holdings)).toEqual(['one', 'two']);
  holdings.endAsked('one');
  expect(liveIn(holdings)).toEqual(['two']);
  holdings.move('two', Date.now() - 1);
  expect(liveIn(holdings)).toEqual([]);
  expect(holdings.holdings.map(({ leaseId }) => leaseId)).toEqual(['one', 'two', 'past']);
});

test('a lease that a second caller gets too keeps what is known of it', () => {
  const holdings = createHoldings();
  holdings.add(held('one'));
  holdings.endAsked('one');
  holdings.add(held('one'));
  expect(holdings.holdings).toHaveLength(1);
  expect(liveIn(holdings)).toEqual([]);
});

test('the end of all means what the holder has, what arrives of what was asked for meanwhile, and nothing of others', () => {
  const holdings = createHoldings();
  holdings.add(held('mine'));
  holdings.add(held('of another holder', { holder: 'bob' }));
  holdings.add(held('of another integration', { integration: 'database' }));
  const { leaseIds, over } = holdings.endAllAsked('ada', 'aws');
  expect(leaseIds).toEqual(['mine']);
  holdings.add(held('under way'));
  over();
  holdings.add(held('asked for later', { askedAt: Date.now() + 1_000 }));
  expect(liveIn(holdings)).toEqual(['of another holder', 'of another integration', 'asked for later']);
});
