/** Families of events that can be filtered for. The value is the beginning of an event's name, with its dot. */
export const FAMILIES = [
  { value: 'approval.', label: 'Approvals' },
  { value: 'tool.', label: 'Tools' },
  { value: 'turn.', label: 'Turns' },
  { value: 'llm.', label: 'Models' },
  { value: 'budget.', label: 'Budgets' },
  { value: 'conversation.', label: 'Conversations' },
  { value: 'policy.', label: 'Policy' },
  { value: 'identity.', label: 'Identity' },
  { value: 'login.', label: 'Logins' },
  { value: 'session.', label: 'Sessions' },
  { value: 'password.', label: 'Password' },
  { value: 'setup.', label: 'Setup' },
  { value: 'system.', label: 'System' },
] as const;
