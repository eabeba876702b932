/** A DNS server on loopback that answers what a test says. Speaks enough of RFC 1035: one question, answers of its kind. */
import { createSocket } from 'node:dgram';

export type DnsAnswer = readonly string[] | 'none' | 'missing' | 'failure' | 'silence';

export interface DnsServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Of each question, in order. */
  readonly names: string[];
  close(): void;
}

export async function startDnsServer(
  answer: (name: string, kind: 'A' | 'AAAA') => DnsAnswer,
): Promise<DnsServer> {
  const socket = createSocket('udp4');
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
      const data = kind === 'A' ? Buffer.from(address.split('.').map(Number)) : bytesOfSix(address);
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
  return { address: `127.0.0.1:${socket.address().port}`, names, close: () => socket.close() };
}

/** Groups in hexadecimal, `::` once at most. */
function bytesOfSix(address: string): Buffer {
  const [front = '', back] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const zeros = back === undefined ? 0 : 8 - groups(front).length - groups(back).length;
  const all = [...groups(front), ...Array<string>(zeros).fill('0'), ...groups(back ?? '')];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
