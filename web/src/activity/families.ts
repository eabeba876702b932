/** Families of events that can be filtered for. The value is the beginning of an event's name, with its dot. */
export const FAMILIES = [
  { value: 'login.', label: 'Logins' },
  { value: 'setup.', label: 'Setup' },
  { value: 'settings.', label: 'Settings' },
  { value: 'conversation.', label: 'Conversations' },
  { value: 'turn.', label: 'Turns' },
  { value: 'llm.', label: 'Model calls' },
  { value: 'tool.', label: 'Tools' },
  { value: 'approval.', label: 'Approvals' },
] as const;
