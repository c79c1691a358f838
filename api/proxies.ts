import { BlockList, isIP } from 'node:net';

/**
 * Says of an address whether it is one of the proxies whose `X-Forwarded-For` is believed.
 * @param proxies addresses and networks, asked at each request: they may be others than before.
 */
export function createTrust(proxies: () => readonly string[]): (address: string) => boolean {
  let known: readonly string[] = [];
  let list = new BlockList();
  return (address) => {
    const now = proxies();
    if (now !== known) {
      known = now;
      list = listOf(now);
    }
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function listOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
