import { afterEach, beforeEach } from 'vitest';
import type { Wire } from '../../src/edge/llm/wires/wire.ts';
import { startWireRig, type WireRig } from './wire-rig.ts';
import type { WireServer } from './wire-server.ts';

type Server = WireServer & { readonly url: string };

/** A provider's server and the gateway in front of it, new for each test; no request is repeated. */
export function wireBench(parts: {
  readonly server: () => Promise<Server>;
  readonly wire: () => Wire;
  readonly model: string;
}): { readonly server: Server; readonly rig: WireRig } {
  const bench: { server?: Server; rig?: WireRig } = {};
  beforeEach(async () => {
    bench.server = await parts.server();
    bench.rig = await startWireRig({
      wire: parts.wire(),
      upstreamUrl: bench.server.url,
      model: parts.model,
      limits: { retries: 0 },
    });
  });
  afterEach(async () => {
    await bench.rig?.close();
    await bench.server?.close();
  });
  return bench as { readonly server: Server; readonly rig: WireRig };
}
