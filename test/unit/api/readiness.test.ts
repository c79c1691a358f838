import { createReadiness } from '../../../api/readiness';

type Deps = Parameters<typeof createReadiness>[0];

/** An API whose Temporal refuses the first question and answers no other. */
function beforeTemporal(): Deps {
  let asked = 0;
  const withDeadline = (): Promise<never> => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error('refused')) : new Promise(() => undefined);
  };
  return { client: { withDeadline }, config: () => ({ hash: '0badcafe' }), namespace: 'default' } as unknown as Deps;
}

test('whoever has to know at once gets what was found before, however long ago', async () => {
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
  const readiness = createReadiness(beforeTemporal());
  const found = await readiness({ atOnce: true });
  expect(found).toMatchObject({ ready: false, temporal: 'unreachable' });
  clock.mockReturnValue(60_000);
  expect(await readiness({ atOnce: true })).toBe(found);
  clock.mockRestore();
}, 2_000);
