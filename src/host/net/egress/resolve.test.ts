import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { askDns, resolveWithin } from './resolve.ts';

type Answer = readonly string[] | 'none' | 'missing' | 'failure' | 'silence';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** Speaks enough of RFC 1035: one question, answers of its kind. */
async function dnsServer(
  answer: (name: string, kind: 'A' | 'AAAA') => Answer,
): Promise<{ address: string; names: string[] }> {
  const socket = createSocket('udp4');
  open.push(socket);
  const names: string[] = [];
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.subarray(at + 1, at + 1 + length).toString());
      at += 1 + length;
    }
    const name = labels.join('.');
    const kind = query.readUInt16BE(at + 1) === 28 ? 'AAAA' : 'A';
    names.push(name);
    const said = answer(name, kind);
    if (said === 'silence') return;
    const addresses = typeof said === 'string' ? [] : said;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | (said === 'missing' ? 3 : said === 'failure' ? 2 : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((address) => {
      const data =
        kind === 'A'
          ? Buffer.from(address.split('.').map(Number))
          : Buffer.from(
              address
                .split(':')
                .map((group) => group.padStart(4, '0'))
                .join(''),
              'hex',
            );
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(kind === 'A' ? 1 : 28, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, names };
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
