/** A principal of the log as a word for people: "user:admin" is admin. */
export function who(principal: string): string {
  if (principal.startsWith('user:')) return principal.slice('user:'.length);
  if (principal.startsWith('assistant:')) return 'the assistant';
  if (principal === 'system') return 'OpenPact';
  if (principal === 'owner') return 'the owner';
  if (principal === 'operator') return 'the operator of the machine';
  return principal;
}
