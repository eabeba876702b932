import { CircleSlash, Gauge, Globe, KeyRound, TriangleAlert } from 'lucide-react';
import type { ScriptPower, ScriptQuotas } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { bytes } from './narrow-grant.ts';

const ICON = { secret: KeyRound, host: Globe, method: Globe, limit: Gauge, none: CircleSlash } as const;

/** Power in sentences: what is new is marked, and what reading the text can't decide is said. */
export function PowerCard({
  title,
  power,
  usual,
}: {
  readonly title: string;
  readonly power: ScriptPower;
  /** The limits that count where none is said. */
  readonly usual: ScriptQuotas;
}) {
  const limited = power.lines.some(({ kind }) => kind === 'limit');
  return (
    <div className="flex flex-col gap-2" data-testid="script-power">
      <h3 className="text-meta font-medium text-muted">{title}</h3>
      <ul className="flex flex-col gap-1.5">
        {power.lines.map(({ kind, text, fresh }, index) => {
          const Icon = ICON[kind];
          return (
            <li key={index} className="flex items-start gap-2" data-fresh={fresh || undefined}>
              <Icon aria-hidden size={16} className="mt-0.5 shrink-0 text-muted" />
              <span className={cx('min-w-0 wrap-anywhere', fresh && 'font-medium')}>
                It <ExactText text={text} />.
              </span>
              {fresh && (
                <span className="mt-0.5 shrink-0 rounded-sm border border-ask-line bg-ask-soft px-1 text-mini font-medium text-ask">
                  new
                </span>
              )}
            </li>
          );
        })}
        {!limited && (
          <li className="flex items-start gap-2 text-muted">
            <Gauge aria-hidden size={16} className="mt-0.5 shrink-0" />
            <span className="min-w-0">
              It has the usual limits: in an hour {usual.runs_per_hour} runs, {usual.requests_per_hour}{' '}
              requests and {bytes(usual.bytes_per_hour)} of answers.
            </span>
          </li>
        )}
      </ul>
      {power.warnings.length > 0 && (
        <div
          className="flex flex-col gap-1 rounded-md border border-ask-line bg-ask-soft px-3 py-2 text-meta"
          data-testid="script-warnings"
        >
          <p className="flex items-center gap-2 font-medium">
            <TriangleAlert aria-hidden size={16} className="shrink-0 text-ask" />
            What the text alone does not tell
          </p>
          <ul className="flex list-disc flex-col gap-1 pl-6">
            {power.warnings.map((warning, index) => (
              <li key={index} className="wrap-anywhere">
                <ExactText text={warning} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
