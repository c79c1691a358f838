import { loadedWith } from '../support/import-graph';
test('x', () => {
  for (const f of ['client/temporal.ts','client/http.ts','worker/main.ts','api/main.ts','cli/local/check.ts','cli/local/sweep.ts','cli/local/token.ts','cli/run/run.ts','dev/start.ts','dev/stack.ts'])
    for (const followLater of [false, true]) console.log(f, followLater, [...loadedWith([f], { followLater }).packages].sort().join(' '));
});
