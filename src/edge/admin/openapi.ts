/** The API as OpenAPI 3.1, made from the route table: what is not served is not in it, and nothing served is missing. */
import { z } from 'zod';
import type { AnyRoute } from './route.ts';

type Schema = Readonly<Record<string, unknown>>;

const ERROR = {
  type: 'object',
  required: ['error', 'message'],
  properties: { error: { type: 'string' }, message: { type: 'string' }, fix: { type: 'string' } },
} as const;

/** The schema of what a client sends (`input`) or gets. */
function schemaOf(type: z.ZodType, io: 'input' | 'output' = 'input'): Schema {
  const made = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Schema & {
    $schema?: unknown;
    $defs?: unknown;
  };
  const { $schema: _, $defs: __, ...schema } = made;
  return withoutDefinitions(schema) as Schema;
}

/** Only "any JSON" refers to itself. A reference into a part of the document would lead nowhere. */
function withoutDefinitions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDefinitions);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return { description: 'Any JSON.' };
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, withoutDefinitions(part)]));
}

/** `PUT /api/scripts/:name/x` is `put_scripts_name_x`. */
function idOf({ method, path }: AnyRoute): string {
  const words = path
    .replace(/^\/api/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return [method.toLowerCase(), ...words].join('_');
}

function parametersOf(row: AnyRoute): readonly Schema[] {
  const inPath = [...row.path.matchAll(/:([a-z_]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  if (row.query === undefined) return inPath;
  const { properties = {}, required = [] } = schemaOf(row.query) as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  return [
    ...inPath,
    ...Object.entries(properties).map(([name, schema]) => ({
      name,
      in: 'query',
      required: required.includes(name),
      schema,
    })),
  ];
}

function doneOf({ answer, status = 200 }: AnyRoute): Schema {
  if (answer === undefined) return { '2XX': { description: 'It was done.' } };
  if (answer === null) return { '204': { description: 'It was done; there is nothing to tell.' } };
  const content = { 'application/json': { schema: schemaOf(answer, 'output') } };
  return { [status]: { description: 'It was done.', content } };
}

export function openApi(routes: readonly AnyRoute[], version: string): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const row of routes) {
    const path = row.path.replaceAll(/:([a-z_]+)/g, '{$1}');
    const item = (paths[path] ??= {});
    item[row.method.toLowerCase()] = {
      operationId: idOf(row),
      security: row.auth === 'none' ? [] : [{ [row.auth]: [] }],
      parameters: parametersOf(row),
      ...(row.body === undefined
        ? {}
        : { requestBody: { content: { 'application/json': { schema: schemaOf(row.body) } } } }),
      responses: {
        ...doneOf(row),
        default: {
          description: 'It was refused.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'OpenPact', version },
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: {
        access: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'refresh' },
      },
    },
  };
}
