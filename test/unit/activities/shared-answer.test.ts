import { sharedAnswer } from '../../../activities/shared-answer';

/** A question whose answers the test gives. */
function question(): { ask: () => Promise<string>; answers: ((answer: string | Error) => void)[] } {
  const answers: ((answer: string | Error) => void)[] = [];
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      answers.push((answer) => {
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    });
  return { ask, answers };
}

test('who comes while a question is under way waits for the next one, with all others who came', async () => {
  const { ask, answers } = question();
  const shared = sharedAnswer(ask);
  const first = shared();
  const others = [shared(), shared(), shared()];
  expect(answers).toHaveLength(1);
  answers[0]?.('before they came');
  expect(await first).toBe('before they came');
  await new Promise(setImmediate);
  expect(answers).toHaveLength(2);
  const last = shared();
  answers[1]?.('for all three');
  expect(await Promise.all(others)).toEqual(Array(3).fill('for all three'));
  await new Promise(setImmediate);
  answers[2]?.('for the last');
  expect(await last).toBe('for the last');
  expect(answers).toHaveLength(3);
});

test('a question that fails fails for those it was asked for, and the next is asked anew', async () => {
  const { ask, answers } = question();
  const shared = sharedAnswer(ask);
  const first = shared();
  const second = shared();
  const failed = expect(first).rejects.toThrow('away');
  answers[0]?.(new Error('away'));
  await failed;
  await new Promise(setImmediate);
  answers[1]?.('back');
  expect(await second).toBe('back');
  const third = shared();
  answers[2]?.('there');
  expect(await third).toBe('there');
});
