/** The clock that Temporal's events bear, on the same machine, with fractions of a millisecond. Blocks for up to one. */
export function readWallClock(): () => number {
  // Date.now() tells whole milliseconds: where it changes, the instant is known exactly.
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  const offset = now - performance.now();
  return () => performance.now() + offset;
}
