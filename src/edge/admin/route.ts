import type { z } from 'zod';
import type { AccessFacts, SetupStep } from '../../guard/identity/index.ts';
import type { Client } from './client.ts';
import type { Actor } from './ports.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** `access`: a bearer token. `cookie`: the refresh cookie, which the handler judges. `none`: open. */
export type Auth = 'none' | 'access' | 'cookie';

/** What a handler answers; without `json`, `text` and `stream` there is no body. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  /** Sent piece by piece, as fast as it is read. */
  readonly stream?: {
    readonly type: string;
    readonly body: AsyncIterable<string>;
    /** Breaks the connection, also of a reader that reads nothing. */
    readonly until: AbortSignal;
  };
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Call<Body, Query, A extends Auth> {
  readonly body: Body;
  readonly query: Query;
  /** A segment of the path; 1 to 69 letters, digits, `_`, `-` or `.`, or a digest (anything else is 404 before the handler). */
  param(name: string): string;
  readonly client: Client;
  /** The value of the refresh cookie, if it has the form of one. */
  readonly refreshCookie: string | undefined;
  /** The bearer token as it was sent, unchecked where the route doesn't need one. */
  readonly bearer: string | undefined;
  readonly access: A extends 'access' ? AccessFacts : undefined;
  readonly actor: A extends 'access' ? Actor : undefined;
}

/** One row of the route table: everything that is checked before the handler runs stands in it. */
export interface Route<Body = unknown, Query = unknown, A extends Auth = Auth> {
  readonly method: Method;
  /** With `:name` for a segment. */
  readonly path: string;
  readonly auth: A;
  /** From which step of the setup on it is served. */
  readonly from: SetupStep;
  readonly body?: z.ZodType<Body> | undefined;
  readonly query?: z.ZodType<Query> | undefined;
  /** What it answers when it was done, and with which status (default 200). `null`: nothing (204); undefined: not told. */
  readonly answer?: z.ZodType | null | undefined;
  readonly status?: 200 | 201 | undefined;
  handle(call: Call<Body, Query, A>): Promise<Answer> | Answer;
}

/** A route whose types are forgotten, as the table holds it. */
// eslint-disable-next-line typescript/no-explicit-any -- what the schemas gave is passed to the handler that came with them
export type AnyRoute = Route<any, any, any>;

/** Gives a row its types: the handler's call follows from the schemas. */
export function route<Body, Query, A extends Auth>(row: Route<Body, Query, A>): AnyRoute {
  return row;
}

export function ok(json: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return { status: 200, json, headers };
}

export function noContent(headers?: Readonly<Record<string, string>>): Answer {
  return { status: 204, headers };
}
