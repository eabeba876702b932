/** What the inbox shows, as it stands in the address. */
export interface InboxSearch {
  readonly show?: 'decided';
  readonly kind?: 'tool' | 'script';
  /** How it ended. */
  readonly state?: EndState;
  readonly q?: string;
  readonly tool?: string;
  readonly script?: string;
  readonly conversation?: string;
  /** The request that is open, or that the address is about. */
  readonly id?: string;
}

export const END_STATES = ['approved', 'denied', 'expired', 'cancelled', 'superseded'] as const;
export type EndState = (typeof END_STATES)[number];

export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  const { show, kind, q } = search;
  const state = END_STATES.find((each) => each === search['state']);
  const named = (name: 'tool' | 'script' | 'conversation' | 'id') => {
    const value = search[name];
    return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? { [name]: value } : {};
  };
  return {
    ...(show === 'decided' ? { show } : {}),
    ...(kind === 'tool' || kind === 'script' ? { kind } : {}),
    ...(state && show === 'decided' ? { state } : {}),
    ...(typeof q === 'string' && q.trim() !== '' ? { q: words(q) } : {}),
    ...named('tool'),
    ...named('script'),
    ...named('conversation'),
    ...named('id'),
  };
}

const MOST_WORDS = 6;

/** As many as the server looks for. */
function words(q: string): string {
  const found = q.slice(0, 200).split(/\s+/u);
  return found.length <= MOST_WORDS ? q.slice(0, 200) : found.slice(0, MOST_WORDS).join(' ');
}

/** The filters as the API takes them, without what is open. */
export function inboxFilter({ show, kind, state, q, tool, script, conversation }: InboxSearch): string {
  const fields = new URLSearchParams({
    kind: kind ?? 'all',
    status: show === 'decided' ? (state ?? 'decided') : 'waiting',
    ...(q === undefined ? {} : { q }),
    ...(tool === undefined ? {} : { tool }),
    ...(script === undefined ? {} : { script }),
    ...(conversation === undefined ? {} : { conversation }),
  });
  return fields.toString();
}
