import { lastGoneMs, liveTable, lookAt, outagePlot, removalTable } from '../../../bench/outage/report';
import type { Outage, Outcome } from '../../../bench/outage/report';

const RETURN = 1_000_000;
const look = (seconds: number, left: number, usable = left) => ({ at: RETURN + seconds * 1_000, left, usable });

const GONE: Outcome = {
  party: 'Leasehold',
  total: 2,
  firstExpiry: RETURN - 60_000,
  looks: [look(-90, 2), look(-31, 2), look(0, 2), look(4, 1), look(9, 0)],
  gone: [RETURN + 4_000, RETURN + 9_000],
  sessionEndedAt: RETURN + 4_000,
};
const LEFT: Outcome = {
  party: 'OpenBao',
  total: 2,
  firstExpiry: RETURN - 60_000,
  looks: [look(-90, 2), look(-50, 2, 0), look(0, 2, 0), look(62, 1, 0)],
  gone: [RETURN + 62_000],
  sessionEndedAt: null,
};
const OUTAGE: Outage = { cutAt: RETURN - 63_000, returnedAt: RETURN, endedAt: RETURN + 70_000, outcomes: [GONE, LEFT] };

test('at each moment that was reached the last look before it is told', () => {
  const { head, rows } = liveTable(OUTAGE);
  expect(head).toEqual(['seconds since the return', 'Leasehold', 'may log in', 'OpenBao', 'may log in']);
  expect(rows[0]).toEqual(['-30', '2', '2', '2', '0']);
  expect(rows.find(([seconds]) => seconds === '5')).toEqual(['5', '1', '1', '2', '0']);
  expect(rows.at(-1)).toEqual(['60', '0', '0', '2', '0']);
});

test('before the first look it is the first one, and without any there is nothing to tell', () => {
  expect(lookAt(GONE.looks, 0)).toBe(GONE.looks[0]);
  expect(() => lookAt([], 0)).toThrow('Nobody has looked.');
});

test('a party that has removed all is told with its last one, another with what it left', () => {
  const { head, rows } = removalTable(OUTAGE);
  expect(rows.every((row) => row.length === head.length)).toBe(true);
  expect(rows[0]).toEqual([
    'Leasehold',
    '2',
    '2',
    '4000 ms',
    '9000 ms',
    '9000 ms',
    'at most 69.0 s',
    'ended 4.0 s after the return',
  ]);
  expect(rows[1]?.slice(5)).toEqual(['1 left after 70.0 s', 'at most 10.0 s', 'open to the end']);
  expect(lastGoneMs(OUTAGE, GONE)).toBe(9_000);
  expect(lastGoneMs(OUTAGE, LEFT)).toBeNull();
});

test('a party that has removed nothing is told so', () => {
  const nothing = { ...LEFT, gone: [] };
  expect(removalTable({ ...OUTAGE, outcomes: [nothing] }).rows[0]?.slice(2, 6)).toEqual([
    '0',
    'none gone',
    'none gone',
    '2 left after 70.0 s',
  ]);
});

test('the plot goes from half a minute before the return to the end, for both', () => {
  const { series } = outagePlot(OUTAGE);
  expect(series.map(({ points }) => points[0])).toEqual([
    [-30, 2],
    [-30, 2],
  ]);
  expect(series.map(({ points }) => points.at(-1))).toEqual([
    [70, 0],
    [70, 1],
  ]);
});
