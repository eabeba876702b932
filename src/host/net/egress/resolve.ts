// Guarantees: all addresses of a name, once, within a deadline, and not more than a few. Public names are asked of DNS alone,
// as they are: no search domains, no hosts file, no mDNS. For the owner's own destinations the system's way is used, which
// knows those.
// Does not: judge; keep answers.
// An attacker may control: the name, and through its DNS server the answer and its timing.
import { promises as dns } from 'node:dns';
import { EgressError, type EgressCode } from './codes.ts';

/** All addresses. Rejects or gives none when there is no answer. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

const TRY_MS = 2_000;
const TRIES = 2;
/** More answers than any real name has; each would be one more place to connect to. */
const MOST_ADDRESSES = 64;

export const resolvePublic: Resolve = (host, signal) => askDns(host, signal);

/** `servers`: those of the system, unless a test says otherwise. */
export async function askDns(
  host: string,
  signal: AbortSignal,
  servers?: readonly string[],
): Promise<readonly string[]> {
  const resolver = new dns.Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    // A name may have one kind only. When the other question failed for another reason, what it would have said is unknown.
    const unknown = [four, six].some((answer) => answer.status === 'rejected' && !saysNone(answer.reason));
    if (unknown) throw new EgressError('dns_failed');
    return [
      ...(four.status === 'fulfilled' ? four.value : []),
      ...(six.status === 'fulfilled' ? six.value : []),
    ];
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

export const resolveBySystem: Resolve = async (host) => {
  const found = await dns.lookup(host, { all: true, order: 'ipv4first' });
  return found.map(({ address }) => address);
};

/** Errors: EgressError `dns_failed`, `dns_timeout`, `aborted`. Never empty. */
export async function resolveWithin(
  resolve: Resolve,
  host: string,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal | undefined },
): Promise<readonly string[]> {
  const deadline = new AbortController();
  let reason: EgressCode = 'dns_failed';
  const stopped = new Promise<never>((_, reject) => {
    deadline.signal.addEventListener('abort', () => reject(new EgressError(reason)), { once: true });
  });
  // Nobody may be waiting any more when it comes.
  stopped.catch(() => undefined);
  const stop = (why: EgressCode): void => {
    reason = why;
    deadline.abort();
  };
  const onAbort = (): void => stop('aborted');
  const timer = setTimeout(() => stop('dns_timeout'), deadlineMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    const answer = resolve(host, deadline.signal);
    const addresses = [...new Set(await Promise.race([answer, stopped]))];
    if (addresses.length === 0 || addresses.length > MOST_ADDRESSES) throw new EgressError('dns_failed');
    return addresses;
  } catch (error) {
    // Texts of resolvers hold the name.
    throw error instanceof EgressError ? error : new EgressError('dns_failed');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function saysNone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENODATA' || code === 'ENOTFOUND';
}
