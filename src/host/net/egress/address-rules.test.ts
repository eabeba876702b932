import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, judgeAddress, type AddressVerdict } from './address-rules.ts';

type Block = readonly [block: string, verdict: AddressVerdict, open?: 'before' | 'behind' | 'both'];

/** Blocks with what they are. `open`: the addresses right before and behind are public. */
const BLOCKS: readonly Block[] = [
  ['0.0.0.0/8', 'never', 'behind'],
  ['10.0.0.0/8', 'near', 'both'],
  ['100.64.0.0/10', 'near', 'both'],
  ['127.0.0.0/8', 'near', 'both'],
  ['169.254.0.0/16', 'never', 'both'],
  ['172.16.0.0/12', 'near', 'both'],
  ['192.0.0.0/24', 'never', 'before'],
  ['192.0.2.0/24', 'never', 'both'],
  ['192.31.196.0/24', 'never', 'both'],
  ['192.52.193.0/24', 'never', 'both'],
  ['192.88.99.0/24', 'never', 'both'],
  ['192.168.0.0/16', 'near', 'both'],
  ['192.175.48.0/24', 'never', 'both'],
  ['198.18.0.0/15', 'never', 'both'],
  ['198.51.100.0/24', 'never', 'both'],
  ['203.0.113.0/24', 'never', 'both'],
  ['224.0.0.0/4', 'never', 'before'],
  ['240.0.0.0/4', 'never'],
  ['255.255.255.255/32', 'never'],
  ['168.63.129.16/32', 'never', 'both'],
  ['100.100.100.200/32', 'never'],
  ['::/128', 'never'],
  ['::1/128', 'near'],
  // Compatible, mapped, translated, NAT64.
  ['::/96', 'never'],
  ['::ffff:0:0/96', 'never'],
  ['::ffff:0:0:0/96', 'never'],
  ['64:ff9b::/96', 'never'],
  ['64:ff9b:1::/48', 'never'],
  ['100::/64', 'never'],
  // Protocol assignments with Teredo, ORCHID and others in them.
  ['2001::/23', 'never', 'both'],
  ['2001:db8::/32', 'never', 'both'],
  ['2002::/16', 'never', 'both'],
  ['3fff::/20', 'never', 'both'],
  ['4000::/3', 'never', 'before'],
  ['5f00::/16', 'never'],
  ['fc00::/7', 'near'],
  ['fd00:ec2::/32', 'never'],
  ['fd20:ce::254/128', 'never'],
  ['fd00:42::42/128', 'never'],
  ['fe80::/10', 'never'],
  ['fec0::/10', 'never'],
  ['ff00::/8', 'never'],
];

function edges(block: string): { first: bigint; last: bigint; bits: number } {
  const [address, prefix] = ipaddr.parseCIDR(block.startsWith('::/') ? block.replace('::', '0::') : block);
  const bytes = address.toByteArray();
  const bits = bytes.length * 8;
  const first = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { first, last: first + (1n << BigInt(bits - prefix)) - 1n, bits };
}

function textOf(value: bigint, bits: number): string {
  const bytes = Array.from({ length: bits / 8 }, (_, i) =>
    Number((value >> BigInt(bits - 8 - i * 8)) & 0xffn),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

describe('an address', () => {
  const blocks = BLOCKS.map(([block, verdict, open]) => ({ block, verdict, open }));
  it.each(blocks)('of $block is $verdict from the first to the last', ({ block, verdict, open }) => {
    const { first, last, bits } = edges(block);
    // ::1 stands in the block of compatible addresses.
    const beginning = block === '::/96' ? first + 2n : first;
    expect(judgeAddress(textOf(beginning, bits))).toBe(verdict);
    expect(judgeAddress(textOf(last, bits))).toBe(verdict);
    if (open === 'before' || open === 'both') expect(judgeAddress(textOf(first - 1n, bits))).toBe('public');
    if (open === 'behind' || open === 'both') expect(judgeAddress(textOf(last + 1n, bits))).toBe('public');
  });

  it('of IPv6 is public in 2000::/3 only', () => {
    expect(judgeAddress('2000::')).toBe('public');
    expect(judgeAddress('1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).toBe('never');
    expect(judgeAddress('3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).toBe('public');
    expect(judgeAddress('e000::1')).toBe('never');
  });

  it('that carries another one is refused whatever it carries', () => {
    for (const address of [
      '::ffff:8.8.8.8',
      '::8.8.8.8',
      '64:ff9b::8.8.8.8',
      '2002:808:808::',
      '::ffff:0:8.8.8.8',
    ]) {
      expect(judgeAddress(address)).toBe('never');
    }
  });

  it('has one spelling, and what is none is never reached', () => {
    expect(canonicalAddress('2001:4860:4860:0:0:0:0:8888')).toBe('2001:4860:4860::8888');
    for (const text of [
      '',
      '127.1',
      '0x7f000001',
      '2130706433',
      '010.0.0.1',
      '1.2.3.4.5',
      'fe80::1%eth0',
      '::1%1',
      'host',
    ]) {
      expect(canonicalAddress(text)).toBeUndefined();
      expect(judgeAddress(text)).toBe('never');
    }
  });
});
