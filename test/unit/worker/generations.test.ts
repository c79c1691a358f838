import { createLogger } from '../../../telemetry/logger';
import { createGenerations } from '../../../worker/generations';
import type { LeaseWorker } from '../../../worker/worker';

/** A worker whose end is told by the test. */
function worker(name: string, order: string[]) {
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  const self: LeaseWorker = {
    queues: [name],
    run: () => {
      order.push(`${name} runs`);
      return ended;
    },
    shutdown: () => {
      order.push(`${name} shall stop`);
    },
  };
  return { self, end, fail };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('the next one works before the one before it is told to finish, and both are waited for', async () => {
  const order: string[] = [];
  const [first, second] = [worker('first', order), worker('second', order)];
  const generations = createGenerations(first.self, createLogger('silent'));
  const run = generations.run().then(() => order.push('over'));
  await generations.replace(second.self);
  expect(order).toEqual(['first runs', 'second runs', 'first shall stop']);
  second.end();
  await soon();
  expect(order).not.toContain('over');
  first.end();
  await run;
});

test('one that ends when it was replaced ends nothing, and its failure is only told', async () => {
  const order: string[] = [];
  let logs = '';
  const logger = createLogger('info', { write: (line) => (logs += line) });
  const [first, second] = [worker('first', order), worker('second', order)];
  const generations = createGenerations(first.self, logger);
  const run = generations.run();
  await generations.replace(second.self);
  first.fail(new Error('lost its connection'));
  await soon();
  expect(logs).toContain('lost its connection');
  second.fail(new Error('is broken'));
  await expect(run).rejects.toThrow('is broken');
});

test('one that comes when all is over takes up nothing', async () => {
  const order: string[] = [];
  const [first, second] = [worker('first', order), worker('second', order)];
  const generations = createGenerations(first.self, createLogger('silent'));
  const run = generations.run();
  first.end();
  await run;
  const replacing = generations.replace(second.self);
  expect(order).toEqual(['first runs', 'second runs', 'second shall stop']);
  second.end();
  await replacing;
});

test('one that was told to stop and leaves something behind has not failed, which is told', async () => {
  let logs = '';
  const logger = createLogger('info', { write: (line) => (logs += line) });
  const order: string[] = [];
  const first = worker('first', order);
  const generations = createGenerations(first.self, logger);
  const run = generations.run();
  generations.stop();
  expect(order).toEqual(['first runs', 'first shall stop']);
  first.fail(new Error('did not end in time'));
  await expect(run).resolves.toBeUndefined();
  expect(logs).toMatch(/did not end in time.*left behind/);
});

test('one that fails without having been told to stop has failed', async () => {
  const first = worker('first', []);
  const run = createGenerations(first.self, createLogger('silent')).run();
  first.fail(new Error('lost its connection'));
  await expect(run).rejects.toThrow('lost its connection');
});

test('one that comes when all were told to stop takes up nothing, though the one before it has not ended', async () => {
  const order: string[] = [];
  const [first, second] = [worker('first', order), worker('second', order)];
  const generations = createGenerations(first.self, createLogger('silent'));
  const run = generations.run();
  generations.stop();
  const replacing = generations.replace(second.self);
  expect(order).toEqual(['first runs', 'first shall stop', 'second runs', 'second shall stop']);
  second.end();
  await replacing;
  first.end();
  await run;
});
