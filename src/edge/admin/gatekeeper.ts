// Guarantees: what holds for every request, page, API or WebSocket, is checked here and in this order, before anything
// else looks at it: a plain path, an allowed address, a host name of ours, for the API no other site's page.
// An attacker may control: the whole request.
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../core/index.ts';
import { clientOf, type Client } from './client.ts';
import { createAddressList, type AddressList, type AdminOptions } from './options.ts';
import { createOriginRule } from './origin-rule.ts';
import { requirePlainPath } from './path-rule.ts';

export interface Gatekeeper {
  client(request: IncomingMessage): Client;
  /** Throws `forbidden` where there is a list of addresses and this one is not in it. */
  requireAddress(client: Client): void;
  /** The same for a connection whose bytes are no request; what a trusted proxy sends may be anybody's. */
  requirePeer(address: string): void;
  /** Throws the refusal as an AppError. */
  admit(request: IncomingMessage, client: Client): void;
  isTrustedProxy: AddressList;
}

export function createGatekeeper(options: AdminOptions): Gatekeeper {
  const isTrustedProxy = createAddressList('admin.trusted_proxies', options.trustedProxies ?? []);
  const allowed = options.allowedIps ?? [];
  const isAllowed = createAddressList('admin.allowed_ips', allowed);
  const origins = createOriginRule(options.host, options.publicOrigins ?? []);
  const requireAddress = ({ address }: Pick<Client, 'address'>): void => {
    if (allowed.length === 0 || isAllowed(address)) return;
    throw new AppError({
      family: 'forbidden',
      code: 'forbidden',
      message: 'This address may not use OpenPact.',
    });
  };
  return {
    isTrustedProxy,
    client: (request) => clientOf(request, isTrustedProxy),
    requireAddress,
    requirePeer(address) {
      if (!isTrustedProxy(address)) requireAddress({ address });
    },
    admit(request, client) {
      requireAddress(client);
      requirePlainPath(request.url);
      origins.requireHost(request);
      if (options.insecureHttp === 'behind-proxy-or-localhost') origins.requireSafeTransport(request, client);
      if (isApiPath(request.url ?? '')) origins.requireSameOrigin(request, client);
    },
  };
}

export function isApiPath(target: string): boolean {
  return /^\/api(?:[/?]|$)/.test(target);
}
