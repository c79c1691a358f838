// Preloaded into a program: its clock is off by so many milliseconds. Timers and the monotonic clock are not.
'use strict';

const offset = Number(process.env.LEASEHOLD_CHAOS_CLOCK_MS ?? 0);

if (offset !== 0) {
  const Real = Date;
  const realNow = Real.now;
  const now = () => realNow() + offset;
  Real.now = now;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, called) => Reflect.construct(target, args.length === 0 ? [now()] : args, called),
    apply: (target) => new target(now()).toString(),
  });
  Real.prototype.constructor = globalThis.Date;
}
