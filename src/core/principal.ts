/** From where an act was asked. Policy decides per origin. */
export type Origin = 'page' | 'mcp' | 'cli' | 'schedule' | 'chat' | 'system';

/** Who acts. The assistant is a principal of its own: it never acts as the person. */
export type Principal =
  | { readonly kind: 'user'; readonly id: string; readonly name: string }
  | { readonly kind: 'assistant'; readonly turnId: string; readonly conversationId: string }
  | { readonly kind: 'operator' }
  | { readonly kind: 'system' }
  | { readonly kind: 'anonymous'; readonly address: string };

/** A short text for the audit log. */
export function principalText(principal: Principal): string {
  switch (principal.kind) {
    case 'user':
      return `user:${principal.name}`;
    case 'assistant':
      return `assistant:${principal.conversationId}`;
    case 'operator':
      return 'operator';
    case 'system':
      return 'system';
    case 'anonymous':
      return `anonymous:${principal.address}`;
  }
}
