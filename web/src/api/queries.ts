import {
  keepPreviousData,
  QueryClient,
  queryOptions,
  type InfiniteData,
  type QueryKey,
  type Updater,
} from '@tanstack/react-query';
import { call, CallError } from './client.ts';
import type {
  Approval,
  ApprovalList,
  AuditChain,
  CapabilitiesAnswer,
  BudgetsView,
  Conversation,
  IdentityFileList,
  IdentityText,
  IdentityVersionText,
  InboxList,
  ModelsAnswer,
  PolicyAnswer,
  SecretList,
  SetupStatus,
  SystemStatus,
  UpstreamList,
  UsageAnswer,
  UsageBy,
  VaultStatus,
  VersionAnswer,
  WaitingAnswer,
} from './types.ts';

/** Live things are asked for again every so many milliseconds while the tab is in front. */
export const LIVE = 4_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A refusal stays a refusal; silence is worth another try, and so is "too fast" once its time is over.
      retry: (count, error) =>
        error instanceof CallError &&
        ((error.status === 0 && count < 1) || (error.status === 429 && count < 3)),
      retryDelay: (_count, error) =>
        1_000 * Math.min(10, error instanceof CallError ? (error.retryAfter ?? 1) : 1),
      refetchOnWindowFocus: true,
      // OpenPact is often on this device or in this house: that the internet is away says nothing about it.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

/**
 * Puts what the server answered to an act where it is shown. A poll that is under way began before the act and can bring
 * what was there before: it is dropped.
 */
export function place<Answer>(
  queryKey: QueryKey,
  answer: Updater<Answer | undefined, Answer | undefined>,
): void {
  void queryClient.cancelQueries({ queryKey, exact: true });
  queryClient.setQueryData<Answer>(queryKey, answer);
}

export const setupStatus = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => call<SetupStatus>('GET', '/api/setup/status', { signal, open: true }),
  // Once set up, always set up.
  staleTime: (query) => (query.state.data?.setup_required === false ? Number.POSITIVE_INFINITY : 0),
});

export const version = queryOptions({
  queryKey: ['version'],
  queryFn: ({ signal }) => call<VersionAnswer>('GET', '/api/version', { signal, open: true }),
  staleTime: Number.POSITIVE_INFINITY,
});

export const systemStatus = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => call<SystemStatus>('GET', '/api/system/status', { signal }),
  refetchInterval: LIVE,
});

/** Everything that waits for the owner: calls and scripts. */
export function waitingFor(status: SystemStatus | undefined): number {
  return status === undefined ? 0 : status.pending_approvals + status.pending_scripts;
}

export const vault = queryOptions({
  queryKey: ['vault'],
  queryFn: ({ signal }) => call<VaultStatus>('GET', '/api/vault', { signal }),
  // Open stays open until the next start, and then every answer says that it is sealed.
  staleTime: (query) => (query.state.data?.sealed === false ? 60_000 : 0),
});

export const secrets = queryOptions({
  queryKey: ['secrets'],
  queryFn: ({ signal }) => call<SecretList>('GET', '/api/secrets', { signal }),
  refetchInterval: LIVE * 2,
});

/** Conversations that are loaded at once. */
export const CONVERSATIONS = 100;

/** The newest; `useOlderConversations` goes on from there. */
export const conversations = queryOptions({
  queryKey: ['conversations'],
  queryFn: ({ signal }) =>
    call<readonly Conversation[]>('GET', `/api/sessions?limit=${CONVERSATIONS}`, { signal }),
  refetchInterval: LIVE,
});

/** Titles and messages, looked through by the server. */
export const conversationSearch = (q: string) =>
  queryOptions({
    queryKey: ['conversations', 'search', q],
    queryFn: ({ signal }) =>
      call<readonly Conversation[]>('GET', `/api/sessions?q=${encodeURIComponent(q)}`, { signal }),
    placeholderData: keepPreviousData,
    enabled: q !== '',
  });

export const conversation = (id: string) =>
  queryOptions({
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => call<Conversation>('GET', `/api/sessions/${encodeURIComponent(id)}`, { signal }),
  });

/** What waits in one conversation. */
export const asksOf = (conversation: string) =>
  queryOptions({
    queryKey: ['approvals', conversation],
    queryFn: ({ signal }) =>
      call<ApprovalList>(
        'GET',
        `/api/approvals?status=waiting&limit=20&conversation=${encodeURIComponent(conversation)}`,
        { signal },
      ),
    refetchInterval: LIVE,
  });

/** The ids of everything that waits. */
export const waiting = queryOptions({
  queryKey: ['waiting'],
  queryFn: ({ signal }) => call<WaitingAnswer>('GET', '/api/approvals/waiting', { signal }),
  refetchInterval: LIVE,
});

export const upstreams = queryOptions({
  queryKey: ['upstreams'],
  queryFn: ({ signal }) => call<UpstreamList>('GET', '/api/llm/upstreams', { signal }),
});

export const auditChain = queryOptions({
  queryKey: ['audit-chain'],
  queryFn: ({ signal }) => call<AuditChain>('GET', '/api/audit/chain', { signal }),
  refetchInterval: (query) => (query.state.data?.running ? 1_000 : LIVE),
});

export const budgets = queryOptions({
  queryKey: ['budgets'],
  queryFn: ({ signal }) => call<BudgetsView>('GET', '/api/budgets', { signal }),
  refetchInterval: LIVE,
});

export const usage = (from: string, to: string, by: UsageBy) =>
  queryOptions({
    queryKey: ['usage', from, to, by],
    queryFn: ({ signal }) =>
      call<UsageAnswer>('GET', `/api/usage?from=${from}&to=${to}&by=${by}`, { signal }),
    // Another range takes the place of the old one without a jump.
    placeholderData: keepPreviousData,
  });

export const models = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => call<ModelsAnswer>('GET', '/api/models', { signal }),
  staleTime: 60_000,
});

export const policy = queryOptions({
  queryKey: ['policy'],
  queryFn: ({ signal }) => call<PolicyAnswer>('GET', '/api/policy', { signal }),
});

export const capabilities = queryOptions({
  queryKey: ['capabilities'],
  queryFn: ({ signal }) => call<CapabilitiesAnswer>('GET', '/api/capabilities', { signal }),
  refetchInterval: LIVE,
});

export const identityFiles = queryOptions({
  queryKey: ['identity'],
  queryFn: ({ signal }) => call<IdentityFileList>('GET', '/api/identity', { signal }),
  refetchInterval: LIVE,
});

export const identityText = (path: string) =>
  queryOptions({
    queryKey: ['identity-text', path],
    queryFn: ({ signal }) =>
      call<IdentityText>('GET', `/api/identity/file?path=${encodeURIComponent(path)}`, { signal }),
    refetchInterval: LIVE,
  });

export const identityVersion = (path: string, id: number) =>
  queryOptions({
    queryKey: ['identity-version', path, id],
    queryFn: ({ signal }) =>
      call<IdentityVersionText>('GET', `/api/identity/version?path=${encodeURIComponent(path)}&id=${id}`, {
        signal,
      }),
    // A version never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Everything that an approval touches: the inbox, the badge, the log. */
export function refreshApprovals(): void {
  for (const key of ['approvals', 'waiting', 'inbox-one', 'system', 'scripts'])
    void queryClient.invalidateQueries({ queryKey: [key] });
}

/** Puts one decided request where it is shown at once, so that the card shows the decision before the next poll. */
export function placeApproval(changed: Approval): void {
  queryClient.setQueriesData<ApprovalList>({ queryKey: ['approvals'] }, (list) =>
    list
      ? { ...list, approvals: list.approvals.map((item) => (item.id === changed.id ? changed : item)) }
      : list,
  );
  queryClient.setQueriesData<InfiniteData<InboxList>>({ queryKey: ['inbox'] }, (pages) =>
    pages
      ? {
          ...pages,
          pages: pages.pages.map((page) => ({
            ...page,
            approvals: page.approvals.map((item) => (item.id === changed.id ? changed : item)),
          })),
        }
      : pages,
  );
  queryClient.setQueryData(['inbox-one', changed.id], (item: unknown) => (item ? changed : item));
}
