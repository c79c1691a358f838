/** Ends what global-setup.ts started and removes its directory. */
export default async function stopSharedStack(): Promise<void> {
  const shared = globalThis.leaseholdTestStack;
  if (shared === undefined) return;
  shared.unwatch();
  await shared.stack.stop();
  globalThis.leaseholdTestStack = undefined;
}
