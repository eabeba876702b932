import { AppError } from '../../core/index.ts';

const MOST = 50;
const HOST =
  /^(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)*(?::[1-9][0-9]{0,4})?$/;

/**
 * Hosts in their one spelling, as grants have them: lower case, `host` or `host:port` without the port that https has
 * anyway, sorted, each once. Errors: input `secret_host_invalid`.
 */
export function parseHosts(texts: readonly string[]): readonly string[] {
  const hosts = texts.map((text) => {
    const host = text.trim().toLowerCase().replace(/:443$/, '');
    const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 1);
    if (HOST.test(host) && port <= 65_535) return host;
    throw new AppError({
      family: 'input',
      code: 'secret_host_invalid',
      message:
        'A host is written as api.example.com or api.example.com:8443, without https:// and without a path.',
    });
  });
  const once = [...new Set(hosts)].toSorted();
  if (once.length <= MOST) return once;
  throw new AppError({
    family: 'input',
    code: 'secret_host_invalid',
    message: `A secret has at most ${MOST} hosts.`,
  });
}
