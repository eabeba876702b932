/** Asks every route as it stands in the table, with `TOKEN` for each of its parameters. */
import type { RunningProgram } from './running-program.ts';

/** There are more routes than may be asked for at once. */
export async function askedInTime(...request: Parameters<typeof asked>): ReturnType<typeof asked> {
  for (;;) {
    const answer = await asked(...request);
    if (answer.status !== 429) return answer;
    await new Promise((wait) => setTimeout(wait, 500));
  }
}

/** Some answers are no JSON. */
export async function asked(program: RunningProgram, method: string, path: string, body: unknown) {
  const answer = await fetch(`${program.address}${path.replaceAll(/:\w+/g, 'TOKEN')}`, {
    method,
    headers: { authorization: `Bearer ${program.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}
