import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { readLeaseHistory } from '../../chaos/lease-history';
import type { Told } from '../../chaos/lease-history';

/** One of the histories that are kept of a release. */
function told(name: string): Told {
  const text = readFileSync(join(__dirname, '../../histories/0.3.0', `${name}.json`), 'utf8');
  return readLeaseHistory(historyFromJSON(JSON.parse(text)).events ?? []);
}

const at = (time: string): number => Date.parse(`2026-11-26T${time}Z`);

describe('what the history of a lease tells', () => {
  it('of one that was stuck, nudged and revoked', () => {
    expect(told('stuck-and-nudged')).toEqual({
      integration: 'aws',
      entity: 'leasehold-hdwo7adn-wnw74qrhi2mswvrxvxk5nxsv',
      plannedAt: at('01:39:23.799'),
      provisionScheduledAt: at('01:39:23.799'),
      provisionedAt: at('01:39:24.679'),
      expiresAt: at('01:49:24.681'),
      deprovisionScheduledAt: at('01:39:24.714'),
      stuckAt: at('01:39:28.714'),
      removals: 2,
      nudges: 1,
      state: 'revoked',
      endedAt: at('01:39:28.817'),
      endedBy: 'library:tester',
      delivered: true,
    });
  });

  it('of one that was extended', () => {
    const { expiresAt, provisionedAt, removals, stuckAt } = told('extended');
    expect(expiresAt).toBeGreaterThan(provisionedAt ?? Infinity);
    expect({ removals, stuckAt }).toEqual({ removals: 1, stuckAt: null });
  });

  it('of one that was refused before anything was planned', () => {
    expect(told('failed-in-plan')).toMatchObject({
      plannedAt: null,
      entity: null,
      provisionScheduledAt: null,
      deprovisionScheduledAt: null,
      removals: 0,
      state: 'failed',
      delivered: false,
    });
  });

  it('of one that was never provisioned', () => {
    const { plannedAt, provisionScheduledAt, provisionedAt, expiresAt } = told('failed-in-provision');
    expect([typeof plannedAt, typeof provisionScheduledAt]).toEqual(['number', 'number']);
    expect([provisionedAt, expiresAt]).toEqual([null, null]);
  });

  it('of one that was given up', () => {
    expect(told('abandoned')).toMatchObject({ state: 'abandoned' });
  });
});
