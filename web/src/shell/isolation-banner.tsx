import { useQuery } from '@tanstack/react-query';
import { ShieldAlert, ShieldX, X } from 'lucide-react';
import { useState } from 'react';
import { systemStatus } from '../api/queries.ts';
import { IconButton } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';

const KEY = 'openpact-isolation-seen';

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function seen(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off: the line stays
  }
}

/**
 * One line on every page while not all fences are in force: what is missing and what to do; where it doesn't fit, it
 * opens. It can be put away for this session, but not at level 0, and it comes back when the level changes.
 */
export function IsolationBanner() {
  const { data } = useQuery(systemStatus);
  const [hidden, setHidden] = useState(seen);
  const [unfolded, setUnfolded] = useState(false);
  if (!data || data.isolation.level === 3) return null;
  const { level, summary, missing } = data.isolation;
  if (level !== 0 && hidden === String(level)) return null;
  const Icon = level === 0 ? ShieldX : ShieldAlert;
  const text =
    missing.length > 0
      ? missing.map((each) => `${sentence(each.what)} ${sentence(each.fix)}`).join(' ')
      : summary;
  return (
    <aside
      aria-label="Isolation"
      data-testid="isolation-banner"
      className={cx(
        'flex min-h-9 shrink-0 items-center gap-2 border-b py-1 pr-1 pl-4 text-meta',
        level === 0 ? 'border-stop-line bg-stop-soft' : 'border-ask-line bg-ask-soft',
      )}
    >
      <Icon aria-hidden size={16} className={cx('shrink-0', level === 0 ? 'text-stop' : 'text-ask')} />
      <button
        type="button"
        aria-expanded={unfolded}
        title={text}
        onClick={() => setUnfolded(!unfolded)}
        className={cx('min-w-0 flex-1 rounded-sm text-left', !unfolded && 'truncate')}
      >
        <span className="font-medium">
          {level === 0 ? 'Nothing isolates the assistant' : `Isolation ${level} of 3`}.
        </span>{' '}
        {text}
      </button>
      {level !== 0 && (
        <IconButton
          label="Put this line away for this session"
          className="size-7 max-md:size-8"
          onClick={() => {
            setHidden(String(level));
            try {
              sessionStorage.setItem(KEY, String(level));
            } catch {
              // Storage is switched off: put away until the page is loaded again.
            }
          }}
        >
          <X aria-hidden size={16} />
        </IconButton>
      )}
    </aside>
  );
}
