import { LeaseLeft, LeaseLost, openLedger } from '../../../bench/soak-ledger';
import type { Ledger } from '../../../bench/soak-ledger';

/** Issued at 0, ends at 10 s, and was seen. */
function ledgerOfOne(): Ledger {
  const ledger = openLedger();
  ledger.issued('a', 0, 10_000);
  ledger.compare(['a'], 1_000, 1_010);
  return ledger;
}

test('a lease that has ended and is gone is forgotten', () => {
  const ledger = ledgerOfOne();
  ledger.compare([], 10_100, 10_110);
  expect(ledger.open()).toBe(0);
});

test('a role that is gone before its lease has ended is a lost lease', () => {
  const ledger = ledgerOfOne();
  expect(() => {
    ledger.compare([], 5_000, 5_010);
  }).toThrow(new LeaseLost('The role a is gone 5.0 s before its lease may end.'));
});

test('a lease that ended while the provider was asked may be gone', () => {
  ledgerOfOne().compare([], 9_000, 10_000);
});

test('a lease that was issued while the provider was asked may be missing', () => {
  const ledger = openLedger();
  ledger.issued('a', 1_005, 10_000);
  ledger.compare([], 1_000, 1_010);
  expect(ledger.open()).toBe(1);
});

test('a revoke lets a lease go from then on, and an extension keeps it', () => {
  const revoked = ledgerOfOne();
  revoked.revoking('a', 4_000);
  revoked.compare([], 3_990, 4_010);
  expect(revoked.open()).toBe(0);
  const extended = ledgerOfOne();
  extended.moved('a', 20_000);
  expect(() => {
    extended.compare([], 15_000, 15_010);
  }).toThrow(LeaseLost);
});

test('a lease that ends without its role ever having been seen was never there', () => {
  const ledger = openLedger();
  ledger.issued('a', 0, 10_000);
  expect(() => {
    ledger.compare([], 10_100, 10_110);
  }).toThrow(new LeaseLost('The role a was never seen, and its lease has ended.'));
});

test('a role that was seen before its lease was known was seen', () => {
  const ledger = openLedger();
  ledger.compare(['a'], 0, 10);
  ledger.issued('a', 20, 10_000);
  ledger.compare([], 10_100, 10_110);
  expect(ledger.open()).toBe(0);
});

test('a role that is there long after the end of its lease is left', () => {
  const ledger = ledgerOfOne();
  ledger.compare(['a'], 70_000, 70_010);
  expect(() => {
    ledger.compare(['a'], 101_000, 101_010);
  }).toThrow(new LeaseLeft('The role a is still there 91.0 s after the end of its lease.'));
});

test('a role that no lease is known of may be there for a while, and is left then', () => {
  const ledger = openLedger();
  ledger.compare(['b'], 0, 10);
  ledger.compare([], 50_000, 50_010);
  ledger.compare(['b'], 60_000, 60_010);
  ledger.compare(['b'], 100_000, 100_010);
  expect(() => {
    ledger.compare(['b'], 151_000, 151_010);
  }).toThrow(LeaseLeft);
});
