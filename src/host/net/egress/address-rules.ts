// Guarantees: each IP address is public, near (this machine or the networks around it) or never to be spoken to. What is
// not known to be public is not public: of IPv6 only 2000::/3 without its special blocks. Forms that carry an IPv4 address
// inside (mapped, compatible, translated, 6to4, Teredo, NAT64) are refused whatever they carry, because who unpacks them,
// and to what, is decided elsewhere.
// Does not: know the addresses of this machine that are public (the guard adds them), or what a public address forwards to.
// An attacker may control: the address.
import ipaddr from 'ipaddr.js';

/** `near`: for destinations that the owner configured only. `never`: for nobody. */
export type AddressVerdict = 'public' | 'near' | 'never';
export type JudgeAddress = (address: string) => AddressVerdict;

/** What clouds tell their machines about themselves, keys among it, where it is outside the link-local range. */
const METADATA: readonly string[] = [
  // Azure (a public address), Oracle, Alibaba.
  '168.63.129.16',
  '192.0.0.192',
  '100.100.100.200',
  // AWS, Google, Scaleway.
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:42::42',
];
/** AWS keeps DNS, time and others beside it. */
const METADATA_BLOCKS = ['fd00:ec2::/32'].map((block) => ipaddr.IPv6.parseCIDR(block));

const NEAR: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

const metadata: ReadonlySet<string> = new Set(METADATA.map((address) => ipaddr.parse(address).toString()));

/** Ranges of RFC 6890 and the registries of IANA. What is no address is `never`. */
export const judgeAddress: JudgeAddress = (text) => {
  const address = parsed(text);
  if (address === undefined) return 'never';
  if (metadata.has(address.toString())) return 'never';
  const range = address.range();
  if (address instanceof ipaddr.IPv6) {
    if (METADATA_BLOCKS.some((block) => address.match(block))) return 'never';
    if (NEAR.has(range)) return 'near';
    return range === 'unicast' && address.match(GLOBAL_UNICAST) ? 'public' : 'never';
  }
  if (NEAR.has(range)) return 'near';
  return range === 'unicast' ? 'public' : 'never';
};

/** The one spelling of an address, for comparing; undefined when it is none, or has a zone. */
export function canonicalAddress(text: string): string | undefined {
  return parsed(text)?.toString();
}

function parsed(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // Only dotted quads: 127.1 and 0x7f000001 are addresses for some and names for others.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return undefined;
}
