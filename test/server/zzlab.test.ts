import { createServer } from 'node:http';
import { writeFileSync, existsSync } from 'node:fs';
import { openApiLab } from '../support/api-lab';
import { pause } from '../support/lab';
test('lab', async () => {
  const lab = await openApiLab({ secrets: { GREETING: 'hello' } });
  let slow: string | null = null; let ms = 0;
  lab.provider.before = (verb: string) => (verb === slow ? new Promise<void>((go) => setTimeout(go, ms)) : undefined) as never;
  const server = createServer((req, res) => {
    const u = new URL(req.url!, 'http://x');
    if (u.pathname === '/slow') { slow = u.searchParams.get('verb'); ms = Number(u.searchParams.get('ms')); }
    res.end(JSON.stringify([...lab.provider.entities.keys()]) + ' provisions ' + lab.provider.calls.provision + '\n');
  }).listen(0, '127.0.0.1');
  await pause(100);
  writeFileSync('/tmp/r1-env', `export LEASEHOLD_HOST=${lab.url} LEASEHOLD_TOKEN=${lab.tokens['ci']!} LEASEHOLD_SCOPE=backend/prd CTL=http://127.0.0.1:${(server.address() as any).port}\n`);
  while (!existsSync('/tmp/r1-stop')) await pause(500);
  server.close(); server.closeAllConnections();
  await lab.close();
}, 3600_000);
