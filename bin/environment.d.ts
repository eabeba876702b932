/** A copy of the environment, which is gone from this process afterwards. */
export function takeEnvironment(): { environment: Record<string, string>; wiped: boolean };
export function cleanEnvironment(environment: Record<string, string>): Record<string, string>;
