import ipaddr from 'ipaddr.js';
import { AppError } from '../../core/index.ts';

export interface AdminOptions {
  /** The address to listen on, such as `127.0.0.1` or `0.0.0.0`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly version: string;
  /** Where people reach the page through a proxy, such as `https://pact.example.org`: allowed as Host and as Origin. */
  readonly publicOrigins?: readonly string[] | undefined;
  /** Addresses or CIDRs whose X-Forwarded-For and -Proto are believed (S-37). Default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Addresses or CIDRs of clients; empty means all (S-36, A-16). */
  readonly allowedIps?: readonly string[] | undefined;
  /**
   * `behind-proxy-or-localhost`: a request over plain HTTP is served under a loopback name only; under any other it must
   * have come over TLS to a trusted proxy. Default `allowed`.
   */
  readonly insecureHttp?: 'behind-proxy-or-localhost' | 'allowed' | undefined;
  /** Requests a second and at once, per client. Default 10 and 40. */
  readonly rateLimit?: { readonly rate: number; readonly burst: number } | undefined;
  readonly limits?: Partial<AdminLimits> | undefined;
}

export interface AdminLimits {
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** Milliseconds for the headers of a request to arrive. */
  readonly headersMs: number;
  /** Milliseconds for a whole request to arrive. */
  readonly requestMs: number;
  /** Milliseconds that an idle connection stays open. */
  readonly keepAliveMs: number;
  /** Connections at once, and from one address (a trusted proxy is not counted). */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** WebSockets of one user at once. */
  readonly socketsPerUser: number;
  /** Milliseconds between pings, and between looks whether the session still lives. */
  readonly pingMs: number;
  readonly recheckMs: number;
  /** Bytes that may wait for a slow WebSocket. */
  readonly socketQueueBytes: number;
  /** Milliseconds that a closing server waits for requests in flight. */
  readonly closeMs: number;
}

export const DEFAULT_LIMITS: AdminLimits = {
  bodyBytes: 1024 * 1024,
  headersMs: 10_000,
  requestMs: 20_000,
  keepAliveMs: 10_000,
  connections: 512,
  connectionsPerAddress: 128,
  socketsPerUser: 32,
  pingMs: 30_000,
  recheckMs: 5_000,
  socketQueueBytes: 8 * 1024 * 1024,
  closeMs: 3_000,
};

/** Four decimal numbers or IPv6: `10.0.0` and `010.0.0.1` are addresses to some readers, and others than one thinks. */
export function isPlainAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

export type AddressList = (address: string) => boolean;

/** Whether an address is in a list of addresses and CIDRs. Throws `config_invalid` for an entry that is neither. */
export function createAddressList(key: string, entries: readonly string[]): AddressList {
  const ranges = entries.map((entry): [ipaddr.IPv4 | ipaddr.IPv6, number] => {
    try {
      const [plain = '', bits] = entry.split('/', 2);
      if (!isPlainAddress(plain)) throw new Error('no plain address');
      if (bits === undefined) {
        const address = ipaddr.process(entry);
        return [address, address.kind() === 'ipv4' ? 32 : 128];
      }
      const [address, length] = ipaddr.parseCIDR(entry);
      // What is compared is the IPv4 address inside: this range would never match.
      if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) throw new Error('a mapped range');
      return [address, length];
    } catch (error) {
      throw new AppError({
        family: 'config',
        code: 'config_invalid',
        message: `${key}: "${entry}" is neither an address nor a CIDR.`,
        fix: 'Write it as 10.0.0.0/8, 192.168.1.7 or fd00::/8.',
        cause: error,
      });
    }
  });
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits));
  };
}
