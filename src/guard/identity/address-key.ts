import ipaddr from 'ipaddr.js';

/** Bytes of an IPv6 address that name a network: one customer has a whole /64. */
const IPV6_NETWORK_BYTES = 8;

/**
 * What an address counts as in a limit: an IPv4 address itself, an IPv4-mapped one as IPv4, an IPv6 one as its /64.
 * A text that is no address counts as itself.
 */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = parsed
    .toByteArray()
    .slice(0, IPV6_NETWORK_BYTES)
    .map((byte) => byte.toString(16).padStart(2, '0'));
  return `${network.join('')}/64`;
}
