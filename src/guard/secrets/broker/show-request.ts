/** A request as people see it: markers where secrets stand. */
import { markerOf, renderRope } from '../../../sandbox/wire/index.ts';
import type { JudgedRequest, Request } from './judge.ts';
import type { ShownRequest } from './ports.ts';

export function showJudged(request: JudgedRequest): ShownRequest {
  const { plan } = request;
  const start = plan.base === undefined ? plan.origin : markerOf(plan.base);
  return { ...show(request), url: start + renderRope(plan.rest) };
}

/** One that was refused: as the script wrote it. */
export function show(request: Request): ShownRequest {
  return {
    method: request.method,
    url: renderRope(request.url),
    headers: Object.fromEntries(
      request.headers.map(([name, value]) => [name.toLowerCase(), renderRope(value)]),
    ),
    body: renderRope(request.body),
  };
}
