import { createStreamLimit } from '../../../../api/doppler/stream-limit';

function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

test('one asker has so many streams at once and no more, and another has its own', () => {
  const limit = createStreamLimit(2, 10);
  const close = limit.enter('ci');
  limit.enter('ci');
  expect(() => limit.enter('ci')).toThrow('This token has 2 streams open');
  limit.enter('other');
  close();
  limit.enter('ci');
  expect(refusal(() => limit.enter('ci'))).toMatchObject({ status: 429, code: 'rate_limited', retryAfter: 30 });
});

test('all askers together have so many and no more', () => {
  const limit = createStreamLimit(2, 3);
  const closes = ['a', 'b', 'c'].map((asker) => limit.enter(asker));
  expect(() => limit.enter('d')).toThrow('This process has 3 streams open');
  // Who was refused takes no room.
  for (const close of closes) close();
  for (const asker of ['d', 'e', 'f']) limit.enter(asker);
  expect(refusal(() => limit.enter('g'))).toMatchObject({ status: 429, code: 'rate_limited', retryAfter: 30 });
});

test('by default one has fifty, and all together two thousand', () => {
  const limit = createStreamLimit();
  for (let asker = 0; asker < 40; asker += 1) {
    for (let stream = 0; stream < 50; stream += 1) limit.enter(`token/${asker}`);
    if (asker < 39) expect(() => limit.enter(`token/${asker}`)).toThrow('50 streams');
  }
  expect(() => limit.enter('token/40')).toThrow('2000 streams');
});
