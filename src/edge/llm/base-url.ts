// Guarantees: the base URL of an upstream is http or https, without user name, query and fragment; plain http only to this
// machine or a private network, because the key travels with it; no address that can't be an upstream (link-local, where
// clouds keep their metadata; multicast; unspecified).
// Does not: know what a host name resolves to; the HTTP client judges that at each connection (host/net).
// An attacker may control: the whole text, with a stolen page session.
import ipaddr from 'ipaddr.js';
import { AppError } from '../../core/index.ts';
import { judgeAddress } from '../../host/net/egress/index.ts';

const HOME_NAMES = /(^|\.)(localhost|local|internal|lan|home\.arpa)$/;

/** The normal form, without a slash at the end. Errors: input `base_url_invalid`, `base_url_not_encrypted`. */
export function checkBaseUrl(text: string): string {
  if (text.length > 2_048 || !URL.canParse(text)) {
    throw invalid('The base URL is not an address.', 'Give it as https://host/path.');
  }
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid('The base URL must begin with https:// or http://.', 'Give it as https://host/path.');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      'The base URL holds a user name or password.',
      'Put the key into the field for the API key.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid('The base URL holds "?" or "#".', 'Leave out everything from there on.');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const range = ipaddr.isValid(host) ? ipaddr.process(host).range() : undefined;
  if (range !== undefined && judgeAddress(host) === 'never') {
    throw invalid(`The base URL names an address that can not be a model server (${range}).`, 'Check it.');
  }
  if (url.protocol === 'http:' && !isNear(host, range)) {
    throw new AppError({
      family: 'input',
      code: 'base_url_not_encrypted',
      message: 'Plain http would send the API key and the conversation readable over the network.',
      fix: 'Use https. Plain http is accepted for this machine and for private networks only.',
    });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

const NEAR: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

function isNear(host: string, range: string | undefined): boolean {
  if (range !== undefined) return NEAR.has(range);
  // A name without a dot is one of the own network, such as a container's.
  return HOME_NAMES.test(host) || !host.includes('.');
}

/** From OLLAMA_HOST, as Ollama reads it: host, host:port or a URL; port 11434; 0.0.0.0 means this machine. */
export function ollamaBaseUrl(host: string): string {
  const text = host.includes('://') ? host : `http://${host}`;
  if (!URL.canParse(text)) throw invalid('OLLAMA_HOST is not an address.', 'Give it as host:port.');
  const url = new URL(text);
  if (url.port === '' && !host.includes('://')) url.port = '11434';
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return checkBaseUrl(`${url.origin}${url.pathname.replace(/\/+$/, '')}/v1`);
}

/** Azure shows the address of a resource; its API of today lies below. Errors: as of `checkBaseUrl`. */
export function azureBaseUrl(text: string): string {
  const url = checkBaseUrl(text);
  return /^\/(openai)?$/.test(new URL(url).pathname) ? `${new URL(url).origin}/openai/v1` : url;
}

function invalid(message: string, fix: string): AppError {
  return new AppError({ family: 'input', code: 'base_url_invalid', message, fix });
}
