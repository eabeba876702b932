/**
 * A public internet on loopback, for programs of the second composition root alone: names are asked of the test's own DNS
 * server, a few addresses of 127.0.0.0/8 count as public, and certificates of the test's own authority are trusted. Everything
 * else of the way out is the product's.
 */
import { readFileSync } from 'node:fs';
import { createEgressGuard, judgeAddress, type EgressGuardDeps } from '../../src/host/net/egress/index.ts';
import { askDns, type Resolve } from '../../src/host/net/egress/resolve.ts';
import type { Parts } from '../../src/compose/parts.ts';

/** What stands in the file that `--internet=FILE` names. */
export interface InternetFile {
  readonly dns: string;
  readonly public: readonly string[];
  readonly ca: string;
}

export interface EgressControls {
  /** Whatever address it is, it counts as public. */
  readonly addresses: boolean;
  /** A name is resolved a second time after its addresses were judged. */
  readonly pinning: boolean;
  readonly rate: boolean;
}

export function internetEgress(file: string | undefined, on: EgressControls): Parts['egress'] {
  const internet = file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as InternetFile);
  return (deps) => {
    const judge: typeof judgeAddress = (address) =>
      !on.addresses || internet?.public.includes(address) === true ? 'public' : judgeAddress(address);
    const resolve: Resolve = (host, signal) => askDns(host, signal, internet && [internet.dns]);
    return createEgressGuard({
      ...deps,
      judge,
      resolve,
      ...(internet === undefined ? {} : { ca: internet.ca }),
      ...(on.addresses ? {} : { machineAddresses: () => [] }),
      ...(on.pinning ? {} : unpinned(resolve, judge)),
      ...(on.rate ? {} : { requestsPerSecond: 1_000_000 }),
    });
  };
}

/** Judges one answer of DNS and connects to the next one, as who looks and then hands the name on does. */
function unpinned(
  resolve: Resolve,
  judge: typeof judgeAddress,
): Pick<EgressGuardDeps, 'judge' | 'resolve' | 'machineAddresses'> {
  const judged = new Map<string, ReturnType<typeof judgeAddress>>();
  return {
    async resolve(host, signal) {
      const first = await resolve(host, signal);
      const second = await resolve(host, signal);
      const [verdict = 'never'] = first.map(judge).filter((one) => one !== 'public');
      for (const address of second)
        judged.set(address, first.every((one) => judge(one) === 'public') ? 'public' : verdict);
      return second;
    },
    judge: (address) => judged.get(address) ?? judge(address),
    machineAddresses: () => [],
  };
}
