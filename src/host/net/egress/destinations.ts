// Guarantees: what may be connected to. A URL is read strictly, its name is resolved once, every address of the answer is
// judged, and what comes back are the addresses that may be connected to. One bad address refuses the name: an answer that
// mixes public and inner addresses is how rebinding looks. Beyond public addresses only what the owner configured is
// admitted, for exactly that host and port; there addresses that are `never` are left out, and one other must remain.
// Does not: connect; remember answers.
// An attacker may control: the URL and the answers of DNS.
import { networkInterfaces } from 'node:os';
import { canonicalAddress, judgeAddress, type AddressVerdict, type JudgeAddress } from './address-rules.ts';
import { EgressError } from './codes.ts';
import { resolveBySystem, resolvePublic, resolveWithin, type Resolve } from './resolve.ts';
import { readTarget, type Target } from './url-rules.ts';

/** A host and port that the owner configured. `host` as in URL.hostname, of IPv6 without brackets. */
export interface OwnDestination {
  readonly host: string;
  readonly port: number;
}

export interface DestinationDeps {
  /** DNS without search domains and hosts file, unless a test says otherwise. */
  readonly resolve?: Resolve;
  /** For what the owner configured. The system's way, unless a test says otherwise. */
  readonly resolveOwn?: Resolve;
  /** Asked anew for each request. */
  readonly own?: () => readonly OwnDestination[];
  /** Only a test gives another one. */
  readonly judge?: JudgeAddress;
  /** All addresses of this machine: what listens on a public one is as much inside as what listens on 127.0.0.1. */
  readonly machineAddresses?: () => readonly string[];
}

export interface Destination extends Target {
  /** All checked, at least one. Nothing else may be connected to. */
  readonly addresses: readonly string[];
}

export interface ResolveLimits {
  /** Milliseconds for DNS. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface Destinations {
  /** The text alone. Errors: EgressError url_*, host_local. */
  read(url: string): Target;
  /** Errors: EgressError dns_*, address_refused, aborted. */
  admit(target: Target, limits: ResolveLimits): Promise<Destination>;
}

export function createDestinations(deps: DestinationDeps = {}): Destinations {
  const own = (host: string, port: number): boolean =>
    (deps.own?.() ?? []).some((entry) => entry.host.toLowerCase() === host && entry.port === port);
  return {
    read(url) {
      const target = readTarget(url, own);
      if (typeof target === 'string') throw new EgressError(target);
      return target;
    },
    async admit(target, limits) {
      const isOwn = own(target.host, target.port);
      const resolve = isOwn ? (deps.resolveOwn ?? resolveBySystem) : (deps.resolve ?? resolvePublic);
      const addresses = await checkedAddresses(target, { ...deps, resolve, isOwn }, limits);
      return { ...target, addresses };
    },
  };
}

export interface CheckDeps extends Pick<DestinationDeps, 'judge' | 'machineAddresses'> {
  readonly resolve: Resolve;
  readonly isOwn: boolean;
}

/** Errors: EgressError dns_*, address_refused, aborted. */
export async function checkedAddresses(
  { host, literal }: Pick<Target, 'host' | 'literal'>,
  deps: CheckDeps,
  limits: ResolveLimits,
): Promise<readonly string[]> {
  const found = literal ? [host] : await resolveWithin(deps.resolve, host, limits);
  const judge = deps.judge ?? judgeAddress;
  const machine = new Set(
    (deps.machineAddresses ?? machineAddresses)().map((address) => canonicalAddress(address)),
  );
  const isAllowed = (address: string): boolean => {
    const verdict: AddressVerdict = judge(address);
    if (verdict === 'public') return deps.isOwn || !machine.has(address);
    return verdict === 'near' && deps.isOwn;
  };
  const allowed = found
    .map((text) => canonicalAddress(text))
    .filter((address) => address !== undefined)
    .filter((address) => isAllowed(address));
  // A name of the own network often has a link-local address beside the others: there the rest is taken.
  const enough = deps.isOwn ? allowed.length > 0 : allowed.length === found.length;
  if (!enough) throw new EgressError('address_refused');
  return allowed;
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
