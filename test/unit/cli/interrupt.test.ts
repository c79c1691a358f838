import { listenForInterrupt } from '../../../cli/interrupt';

let now = 0;
let killed: unknown[] = [];

beforeEach(() => {
  now = 0;
  killed = [];
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  jest.spyOn(process, 'kill').mockImplementation((_, signal) => {
    killed.push(signal);
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

function send(signal: NodeJS.Signals): void {
  process.emit(signal, signal);
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a command is called off by %s, and not ended by its echo',
  (name) => {
    const interrupt = listenForInterrupt({ hangUp: true });
    send(name);
    expect(interrupt.signal.aborted).toBe(true);
    now = 900;
    send(name);
    send('SIGHUP');
    expect(killed).toEqual([]);
    interrupt.close();
  },
);

test('one that is called off again later is ended at once', () => {
  const interrupt = listenForInterrupt({ hangUp: true });
  send('SIGINT');
  now = 1_100;
  send('SIGINT');
  send('SIGINT');
  expect(killed).toEqual(['SIGINT']);
  interrupt.close();
});

test('a terminal that closes means nothing unless it is asked for, and nothing is heard after the end', () => {
  const before = process.listenerCount('SIGHUP');
  const interrupt = listenForInterrupt();
  expect(process.listenerCount('SIGHUP')).toBe(before);
  interrupt.close();
  process.once('SIGINT', () => undefined);
  send('SIGINT');
  expect(interrupt.signal.aborted).toBe(false);
});
