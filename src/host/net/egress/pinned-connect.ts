// Guarantees: a connection to one of the given addresses and to nothing else; no name is resolved here. The other end of the
// open socket is compared with the address once more. TLS is checked against the host of the URL, and the environment can
// not switch that off. No TLS session is shared.
// Does not: judge addresses.
// An attacker may control: what listens there.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { callbackify } from 'node:util';
import type { buildConnector } from 'undici';
import { canonicalAddress } from './address-rules.ts';
import { EgressError } from './codes.ts';

export interface PinnedTarget {
  /** Tried in turns of IPv4 and IPv6, each once, until one connects. */
  readonly addresses: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly encrypted: boolean;
}

export interface PinnedOptions {
  /** To an open connection, TLS included, for all addresses together. Milliseconds. */
  readonly connectMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Certificates to trust instead of the system's; for tests. */
  readonly ca?: string | undefined;
}

/** More than these are not tried: each costs the host's time and ours. */
const MOST_TRIES = 4;

/** For the library, which asks with a callback. It hands what `open` throws on to the request. */
export function connectorOf(
  open: (wanted: buildConnector.Options) => Promise<Socket>,
): buildConnector.connector {
  const ask = callbackify(open);
  return (wanted, callback) => {
    ask(wanted, (error, socket) => {
      if (error) callback(error, null);
      else callback(null, socket);
    });
  };
}

/** Errors: EgressError connect_failed, timeout_connect, tls_failed, address_refused, aborted. */
export async function connectPinned(target: PinnedTarget, options: PinnedOptions): Promise<Socket> {
  const tried = inTurns(target.addresses).slice(0, MOST_TRIES);
  const end = performance.now() + options.connectMs;
  let last = new EgressError('connect_failed');
  for (const [index, address] of tried.entries()) {
    if (options.signal?.aborted === true) throw new EgressError('aborted');
    const left = end - performance.now();
    if (left <= 0) throw new EgressError('timeout_connect');
    try {
      return await connectTo(address, target, { ...options, connectMs: left / (tried.length - index) });
    } catch (error) {
      if (!(error instanceof EgressError)) throw error;
      // Another address may be there when this one is not; a wrong certificate or a foreign end is no matter of luck.
      if (error.code !== 'connect_failed' && error.code !== 'timeout_connect') throw error;
      last = error;
    }
  }
  throw last;
}

/** A machine may have one kind of network only. */
function inTurns(addresses: readonly string[]): readonly string[] {
  const four = addresses.filter((address) => isIP(address) === 4);
  const six = addresses.filter((address) => isIP(address) !== 4);
  return addresses.flatMap((_, i) => [...four.slice(i, i + 1), ...six.slice(i, i + 1)]);
}

function connectTo(address: string, target: PinnedTarget, options: PinnedOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Checked for the one more time that it costs nothing: a name here would be resolved by the library.
    if (isIP(address) === 0) {
      reject(new EgressError('address_refused'));
      return;
    }
    const { host, port, encrypted } = target;
    const tcp = connectTcp({ host: address, port, noDelay: true });
    const socket = encrypted
      ? connectTls({
          socket: tcp,
          // Server names are names (RFC 6066, 3); an address is compared with the certificate's addresses.
          ...(isIP(host) === 0 ? { servername: host } : { host }),
          ALPNProtocols: ['http/1.1'],
          rejectUnauthorized: true,
          ...(options.ca === undefined ? {} : { ca: options.ca }),
        })
      : tcp;
    let connected = false;
    let settled = false;
    const finish = (code?: EgressError['code']): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      if (code === undefined) {
        // The listeners for errors stay: one that comes before the next owner listens must not end the program.
        resolve(socket);
        return;
      }
      socket.destroy();
      tcp.destroy();
      reject(new EgressError(code));
    };
    const onAbort = (): void => finish('aborted');
    // Whatever goes wrong after the connection stood went wrong in the handshake.
    const onError = (): void => finish(connected ? 'tls_failed' : 'connect_failed');
    const timer = setTimeout(() => finish('timeout_connect'), options.connectMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    if (socket !== tcp) tcp.on('error', onError);
    tcp.once('connect', () => {
      connected = true;
      if (canonicalAddress(tcp.remoteAddress ?? '') !== canonicalAddress(address)) finish('address_refused');
      else if (!encrypted) finish();
    });
    if (encrypted) {
      socket.once('secureConnect', () => finish());
      socket.once('close', onError);
    }
  });
}
