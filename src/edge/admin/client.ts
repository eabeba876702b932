// Guarantees: the client's address and scheme come from the connection; headers of a proxy are believed only when the
// connection itself comes from a trusted one, and only as far as trusted ones wrote them (S-37).
// An attacker may control: every header; with an untrusted connection none of them counts.
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { isPlainAddress, type AddressList } from './options.ts';

export interface Client {
  readonly address: string;
  readonly https: boolean;
  readonly userAgent: string;
}

export function clientOf(request: IncomingMessage, trusted: AddressList): Client {
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  const userAgent = request.headers['user-agent'] ?? '';
  if (!trusted(peer)) return { address: peer, https: false, userAgent };
  return { address: forwardedFor(request, peer, trusted), https: forwardedHttps(request), userAgent };
}

/** From the right: each proxy appends whom it heard from. The first that is no proxy of ours is the client. */
function forwardedFor(request: IncomingMessage, peer: string, trusted: AddressList): string {
  const hops = headerText(request, 'x-forwarded-for')
    .split(',')
    .map((hop) => hop.trim())
    .reverse();
  let address = peer;
  for (const hop of hops) {
    // Whatever stands to the left of something unreadable was not written by a proxy of ours.
    if (!isPlainAddress(hop)) break;
    address = plainAddress(hop);
    if (!trusted(address)) break;
  }
  return address;
}

function forwardedHttps(request: IncomingMessage): boolean {
  return headerText(request, 'x-forwarded-proto').split(',').at(-1)?.trim().toLowerCase() === 'https';
}

function headerText(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

/** `::ffff:192.0.2.1` → `192.0.2.1`. */
function plainAddress(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
