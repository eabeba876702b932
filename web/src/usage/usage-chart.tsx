import type { UsageRow } from '../api/types.ts';
import { daysOf, money, tokens } from './amounts.ts';

const WIDTH = 720;
const HEIGHT = 140;

/** A bar for each day, also for those on which nothing happened. The table below has the same numbers. */
export function DayChart({
  rows,
  from,
  to,
}: {
  readonly rows: readonly UsageRow[];
  readonly from: string;
  readonly to: string;
}) {
  const known = new Map(rows.map((row) => [row.key, row]));
  const days = daysOf(from, to);
  const most = Math.max(1, ...rows.map(sum));
  const slot = WIDTH / days.length;
  return (
    <figure className="flex flex-col gap-1">
      <figcaption className="flex justify-between text-mini text-muted tabular-nums">
        <span>Tokens a day; answers in full colour</span>
        <span>highest {tokens(most === 1 ? 0 : most)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Tokens a day from ${from} to ${to}, at most ${tokens(most === 1 ? 0 : most)}`}
        className="h-36 w-full border-b border-line-strong"
        data-testid="usage-chart"
      >
        {days.map((day, index) => {
          const row = known.get(day);
          const height = row ? (sum(row) / most) * (HEIGHT - 4) : 0;
          const out = row ? (row.output_tokens / most) * (HEIGHT - 4) : 0;
          const x = index * slot + slot * 0.12;
          const width = slot * 0.76;
          return (
            <g key={day}>
              <title>{row ? sentence(row) : `${day}: nothing`}</title>
              <rect
                x={index * slot}
                y={0}
                width={slot}
                height={HEIGHT}
                className="fill-transparent hover:fill-hover"
              />
              <rect
                x={x}
                y={HEIGHT - height}
                width={width}
                height={height - out}
                className="pointer-events-none fill-accent opacity-45"
              />
              <rect
                x={x}
                y={HEIGHT - out}
                width={width}
                height={out}
                className="pointer-events-none fill-accent"
              />
            </g>
          );
        })}
      </svg>
      <div className="flex justify-between text-mini text-faint tabular-nums">
        <span>{from}</span>
        <span>{to}</span>
      </div>
    </figure>
  );
}

/** How one row compares with the largest, beside its numbers. */
export function ShareBar({ row, most }: { readonly row: UsageRow; readonly most: number }) {
  const share = most === 0 ? 0 : (sum(row) / most) * 100;
  return (
    <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden className="h-1.5 w-full">
      <rect width="100" height="6" className="fill-sunken" />
      <rect width={share} height="6" className="fill-accent" />
    </svg>
  );
}

export function sum(row: { readonly input_tokens: number; readonly output_tokens: number }): number {
  return row.input_tokens + row.output_tokens;
}

function sentence(row: UsageRow): string {
  return `${row.label}: ${tokens(row.input_tokens)} in, ${tokens(row.output_tokens)} out, ${row.calls} calls, ${money(row.cost_usd)}`;
}
