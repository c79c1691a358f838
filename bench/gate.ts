import { openTcpGate } from '../dev/tcp-gate';
import type { TcpGate } from '../dev/tcp-gate';
import type { Provider } from './provider';

/** A way to a provider that can be cut: whoever goes by it then finds the provider away. */
export interface Gate extends TcpGate {
  readonly host: string;
  readonly port: number;
}

export async function openGate({ server }: Pick<Provider, 'server'>): Promise<Gate> {
  const gate = await openTcpGate(`${server.host}:${server.port}`);
  const [host = '', port] = gate.address.split(':');
  return { ...gate, host, port: Number(port) };
}
