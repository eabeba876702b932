// Guarantees: a grant that was read holds only hosts, methods and places in their one spelling, so that judging a
// request is comparing texts. What a grant does not say is not granted; a grant with a mistake is no grant.
// Does not: decide who may grant; know whether the secrets exist.
// An attacker may control: the text of a grant that a person is about to approve.
import { AppError, isJsonObject } from '../../../core/index.ts';

/** `header:NAME`, `query:NAME` (or `header`, `query` for any name), `path`, `body`. */
export type Placement = 'header' | 'query' | 'path' | 'body' | `header:${string}` | `query:${string}`;

export interface SecretGrant {
  /** `https://host` or `https://host:port`: where it may be sent. */
  readonly origins: readonly string[];
  /** Undefined: every place. */
  readonly in: readonly Placement[] | undefined;
  /** The answers to requests with this secret are shown although it could be guessed. */
  readonly showAnswers: boolean;
}

/** What a script may do, as it was approved. */
export interface ScriptGrant {
  readonly secrets: ReadonlyMap<string, SecretGrant>;
  /** `host` (ports 80 and 443) or `host:port`, lower case. The hosts of `origins` may be spoken to as well. */
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  /** Names of fields in answers whose values the script may not see. */
  readonly hiddenFields: RegExp;
}

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const HOST =
  /^(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)*(?::[1-9][0-9]{0,4})?$/;
const PLACE = /^(?:header|query|path|body|header:[a-z0-9!#$%&'*+.^_`|~-]{1,128}|query:[^\s&=#]{1,128})$/;
const METHOD_NAMES = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
export const HIDDEN_FIELDS = /token|secret|password|api_?key/i;

export const NO_GRANT: ScriptGrant = Object.freeze({
  secrets: new Map<string, SecretGrant>(),
  hosts: [],
  methods: [],
  hiddenFields: HIDDEN_FIELDS,
});

function refuse(message: string): AppError {
  return new AppError({
    family: 'input',
    code: 'grant_invalid',
    message,
    fix: 'Correct the grant: docs/starlark.md says what stands in one.',
  });
}

/**
 * `{"secrets": {"NAME": ["host"]}, "hosts": ["host"], "methods": ["GET"], "hidden_fields": ["pin"]}`. Instead of the
 * list a secret may have `{"origins": ["https://host"], "in": ["header:authorization"], "answers": "shown"}`.
 * `hidden_fields` are added to the usual ones. Errors: input `grant_invalid`.
 */
export function parseGrant(data: unknown): ScriptGrant {
  const grant = members(data, 'The grant', ['secrets', 'hosts', 'methods', 'hidden_fields']);
  const secrets = new Map<string, SecretGrant>();
  const given = grant.get('secrets');
  if (given !== undefined) {
    if (!isJsonObject(given)) throw refuse('"secrets" is not an object of names.');
    for (const [name, value] of Object.entries(given)) {
      if (!NAME.test(name))
        throw refuse(`"${name.slice(0, 80)}" is not the name of a secret (want A-Z, 0-9, _).`);
      secrets.set(name, parseSecret(name, value));
    }
  }
  const methods = texts(grant.get('methods'), 'methods').map((method) => method.toUpperCase());
  const unknown = methods.find((method) => !METHOD_NAMES.has(method));
  if (unknown !== undefined) throw refuse(`"${unknown.slice(0, 80)}" is not a method that scripts have.`);
  return Object.freeze({
    secrets,
    hosts: texts(grant.get('hosts'), 'hosts').map(parseHost),
    methods,
    hiddenFields: parseFields(texts(grant.get('hidden_fields'), 'hidden_fields')),
  });
}

function members(data: unknown, what: string, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (!isJsonObject(data)) throw refuse(`${what} is not an object.`);
  const entries = Object.entries(data);
  const stray = entries.find(([key]) => !known.includes(key));
  if (stray !== undefined) throw refuse(`${what} has the unknown member "${stray[0].slice(0, 80)}".`);
  return new Map(entries);
}

function texts(value: unknown, what: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > 1_000) throw refuse(`"${what}" is not a list of texts.`);
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw refuse(`"${what}" holds something that is not a text.`);
    return item;
  });
}

function parseHost(text: string): string {
  const host = text.toLowerCase();
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 1);
  if (!HOST.test(host) || port > 65_535)
    throw refuse(`"${text.slice(0, 80)}" is not a host (want name or name:port).`);
  return host;
}

/** `https://host` without the port that https has anyway. */
function originOf(host: string): string {
  return `https://${host.replace(/:443$/, '')}`;
}

function parseSecret(name: string, value: unknown): SecretGrant {
  if (Array.isArray(value)) {
    const origins = texts(value, `secrets.${name}`).map((host) => originOf(parseHost(host)));
    return { origins, in: undefined, showAnswers: false };
  }
  const grant = members(value, `The grant of ${name}`, ['origins', 'in', 'answers']);
  const origins = texts(grant.get('origins'), `secrets.${name}.origins`).map((origin) => {
    if (!/^https:\/\//i.test(origin))
      throw refuse(`The origin "${origin.slice(0, 80)}" of ${name} does not begin with https://.`);
    return originOf(parseHost(origin.slice('https://'.length)));
  });
  const answers = grant.get('answers');
  if (answers !== undefined && answers !== 'shown' && answers !== 'hidden')
    throw refuse(`"answers" of ${name} is neither "shown" nor "hidden".`);
  const places = grant.has('in') ? texts(grant.get('in'), `secrets.${name}.in`).map(parsePlace) : undefined;
  return { origins, in: places, showAnswers: answers === 'shown' };
}

function parsePlace(text: string): Placement {
  // Names of headers have no case; those of a query do.
  const place = text.startsWith('query:') ? text : text.toLowerCase();
  if (!PLACE.test(place))
    throw refuse(`"${text.slice(0, 80)}" is not a place (want header:NAME, query:NAME, path or body).`);
  return place as Placement;
}

function parseFields(names: readonly string[]): RegExp {
  const bad = names.find((name) => !/^[\w.-]{1,64}$/.test(name));
  if (bad !== undefined) throw refuse(`"${bad.slice(0, 80)}" is not the name of a field.`);
  const more = names.map((name) => `^${name.replaceAll('.', '\\.')}$`);
  return new RegExp([HIDDEN_FIELDS.source, ...more].join('|'), 'i');
}
