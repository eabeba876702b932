import { z } from 'zod';
import type { Json, Tool } from '../core/index.ts';

type Parsed<Args> = ReturnType<Tool<Args>['parse']>;

/** A tool by its zod schema; `check` turns what the schema let through into what runs. */
export interface ToolParts<Schema extends z.ZodType, Args> extends Omit<Tool<Args>, 'schema' | 'parse'> {
  readonly input: Schema;
  check(input: z.output<Schema>): Parsed<Args>;
}

/** The same schema is shown to the model and enforced on its arguments (S-01, M-07). */
export function defineTool<Schema extends z.ZodType, Args>(parts: ToolParts<Schema, Args>): Tool<Args> {
  const { input, check, ...tool } = parts;
  const schema = z.toJSONSchema(input, { io: 'input' }) as Readonly<Record<string, Json>>;
  return Object.freeze({
    ...tool,
    schema,
    parse(args: unknown): Parsed<Args> {
      const result = input.safeParse(args);
      if (result.success) return check(result.data);
      const problems = result.error.issues.map((issue) =>
        issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
      );
      return { ok: false, problem: problems.slice(0, 5).join('; ') };
    },
  });
}
