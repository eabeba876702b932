import { afterEach, describe, expect, it } from 'vitest';
import { startDnsServer, type DnsServer } from '../../../../test/support/dns-server.ts';
import { askDns, resolveWithin } from './resolve.ts';

const open: DnsServer[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function dnsServer(...given: Parameters<typeof startDnsServer>): Promise<DnsServer> {
  const server = await startDnsServer(...given);
  open.push(server);
  return server;
}

const SIX = '2606:2800:220:1:248:1893:25c8:1946';
const never = new AbortController().signal;

describe('asking DNS', () => {
  it('gives all addresses of both kinds', async () => {
    const { address } = await dnsServer((_, kind) => (kind === 'A' ? ['93.184.216.34', '10.0.0.1'] : [SIX]));
    expect(await askDns('a.example.com', never, [address])).toEqual(['93.184.216.34', '10.0.0.1', SIX]);
  });

  it('takes one kind when the other one does not exist', async () => {
    const { address } = await dnsServer((_, kind) => (kind === 'A' ? ['93.184.216.34'] : 'none'));
    expect(await askDns('a.example.com', never, [address])).toEqual(['93.184.216.34']);
  });

  it('takes nothing when one of the two questions failed: the answer could have been an inner address', async () => {
    const { address } = await dnsServer((_, kind) => (kind === 'A' ? ['93.184.216.34'] : 'failure'));
    await expect(askDns('a.example.com', never, [address])).rejects.toMatchObject({ code: 'dns_failed' });
  });

  it('asks for the name as it is, in no search domain and in no hosts file', async () => {
    const { address, names } = await dnsServer(() => 'missing');
    expect(await askDns('localhost', never, [address])).toEqual([]);
    expect(await askDns('a.example.com', never, [address])).toEqual([]);
    expect(new Set(names)).toEqual(new Set(['localhost', 'a.example.com']));
  });

  it('ends with the deadline when no answer comes', async () => {
    const { address } = await dnsServer(() => 'silence');
    const asking = resolveWithin((host, signal) => askDns(host, signal, [address]), 'a.example.com', {
      deadlineMs: 50,
      signal: undefined,
    });
    await expect(asking).rejects.toMatchObject({ code: 'dns_timeout' });
  });
});
