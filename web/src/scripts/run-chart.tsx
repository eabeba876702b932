import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ScriptRunChart, ScriptRunStep } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { scriptRunChart } from './script-queries.ts';

const WIDTH = 720;
const HEIGHT = 72;
const PARTS = [
  { key: 'ok', words: 'done', fill: 'fill-ok', dot: 'bg-ok' },
  { key: 'error', words: 'failed', fill: 'fill-stop-fill', dot: 'bg-stop-fill' },
  { key: 'killed', words: 'stopped', fill: 'fill-stop/50', dot: 'bg-stop/50' },
  { key: 'other', words: 'running or end unknown', fill: 'fill-line-strong', dot: 'bg-line-strong' },
] as const;
const STEPS = { hour: 'last 24 hours', day: 'last 30 days' } as const;
type Stretch = ScriptRunChart['stretches'][number];

/** How the runs ended, as bars; the table below them has the same numbers. */
export function RunChart({ name }: { readonly name: string }) {
  const [by, setBy] = useState<ScriptRunStep>('hour');
  // What the list says about an error is enough.
  const { data } = useQuery(scriptRunChart(name, by));
  const total = data ? data.stretches.reduce((sum, each) => sum + all(each), 0) : 0;
  return (
    <div className="flex flex-col gap-2 rounded-lg border border-line px-4 py-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="text-meta tabular-nums">
          {data ? `${total} ${total === 1 ? 'run' : 'runs'} in the ${STEPS[data.by]}` : ' '}
        </p>
        <div role="group" aria-label="How far back" className="flex rounded-md border border-line p-px">
          {(['hour', 'day'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={by === each}
              onClick={() => setBy(each)}
              className={cx(
                'h-6 rounded-[5px] px-2 text-mini max-md:h-9 max-md:px-3',
                by === each ? 'bg-selected font-medium' : 'text-muted hover:bg-hover',
              )}
            >
              {each === 'hour' ? '24 hours' : '30 days'}
            </button>
          ))}
        </div>
      </div>
      {data ? <Bars chart={data} /> : <div className="h-18" />}
    </div>
  );
}

function Bars({ chart }: { readonly chart: ScriptRunChart }) {
  const { stretches, by } = chart;
  const most = Math.max(1, ...stretches.map(all));
  const slot = WIDTH / stretches.length;
  const busy = stretches.filter((each) => all(each) > 0);
  const shown = PARTS.filter(({ key }) => stretches.some((each) => each[key] > 0));
  return (
    <>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Runs in the ${STEPS[by]}, at most ${most} in one ${by}. The table has the numbers.`}
        className="h-18 w-full border-b border-line-strong"
        data-testid="script-run-chart"
      >
        {stretches.map((each, index) => {
          let top = HEIGHT;
          return (
            <g key={each.at}>
              <title>{`${moment(each.at, by)}: ${sentence(each)}`}</title>
              <rect
                x={index * slot}
                y={0}
                width={slot}
                height={HEIGHT}
                className="fill-transparent hover:fill-hover"
              />
              {PARTS.map(({ key, fill }) => {
                const height = (each[key] / most) * (HEIGHT - 4);
                top -= height;
                return (
                  height > 0 && (
                    <rect
                      key={key}
                      x={index * slot + slot * 0.15}
                      y={top}
                      width={slot * 0.7}
                      height={height}
                      className={cx('pointer-events-none', fill)}
                    />
                  )
                );
              })}
            </g>
          );
        })}
      </svg>
      <div className="flex justify-between text-mini text-faint tabular-nums">
        <span>{moment(stretches[0]?.at ?? '', by)}</span>
        <span>{by === 'hour' ? 'this hour' : 'today (UTC)'}</span>
      </div>
      {!chart.complete && (
        <p className="text-mini text-muted">Only the last 1000 runs are kept: older ones are not counted.</p>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1 text-mini text-muted">
        <ul className="flex flex-wrap gap-x-4">
          {shown.map(({ key, words, dot }) => (
            <li key={key} className="flex items-center gap-1.5">
              <span aria-hidden className={cx('size-2 rounded-xs', dot)} />
              {words} {stretches.reduce((sum, each) => sum + each[key], 0)}
            </li>
          ))}
        </ul>
        {busy.length > 0 && (
          <details className="w-full" data-testid="script-run-table">
            <summary className="w-fit text-link">As a table</summary>
            <table className="mt-1 w-full border-collapse">
              <thead>
                <tr className="border-b border-line text-left">
                  <th scope="col" className="py-1 font-medium">
                    {by === 'hour' ? 'Hour' : 'Day (UTC)'}
                  </th>
                  {PARTS.map(({ key, words }) => (
                    <th key={key} scope="col" className="py-1 pl-2 text-right font-medium">
                      {words}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {busy.toReversed().map((each) => (
                  <tr key={each.at} className="border-b border-line">
                    <th scope="row" className="py-1 text-left font-normal">
                      {moment(each.at, by)}
                    </th>
                    {PARTS.map(({ key }) => (
                      <td key={key} className="py-1 pl-2 text-right">
                        {each[key]}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        )}
      </div>
    </>
  );
}

function all({ ok, error, killed, other }: Stretch): number {
  return ok + error + killed + other;
}

function sentence(stretch: Stretch): string {
  const parts = PARTS.filter(({ key }) => stretch[key] > 0).map(
    ({ key, words }) => `${stretch[key]} ${words}`,
  );
  return parts.length === 0 ? 'no run' : parts.join(', ');
}

/** Hours as the reader's clock has them; days are those of UTC. */
function moment(at: string, by: ScriptRunStep): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return by === 'day'
    ? date.toLocaleDateString(undefined, { timeZone: 'UTC', day: 'numeric', month: 'short' })
    : date.toLocaleString(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
}
