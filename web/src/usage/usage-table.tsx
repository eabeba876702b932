import { Link } from '@tanstack/react-router';
import type { UsageAnswer, UsageRow, UsageSum } from '../api/types.ts';
import { money, tokens } from './amounts.ts';
import { ShareBar, sum } from './usage-chart.tsx';

const HEADS = { day: 'Day (UTC)', model: 'Model', conversation: 'Conversation' } as const;
const NUMBER = 'px-4 py-2 max-sm:px-1 text-right tabular-nums whitespace-nowrap';

export function UsageTable({ answer }: { readonly answer: UsageAnswer }) {
  const { rows, totals, by } = answer;
  const most = Math.max(0, ...rows.map(sum));
  const shown = by === 'day' ? rows.toReversed() : rows;
  return (
    <div className="overflow-x-auto">
      <table className="w-full border-collapse text-meta" data-testid="usage-table">
        <thead>
          <tr className="border-b border-line text-left text-mini text-muted">
            <th scope="col" className="py-2 pr-2 font-medium">
              {HEADS[by]}
            </th>
            <th scope="col" className={`${NUMBER} font-medium max-sm:hidden`}>
              Calls
            </th>
            <th scope="col" className={`${NUMBER} font-medium`}>
              Tokens in
            </th>
            <th scope="col" className={`${NUMBER} font-medium`}>
              Tokens out
            </th>
            <th scope="col" className={`${NUMBER} font-medium`}>
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.key} className="border-b border-line" data-testid="usage-row" data-key={row.key}>
              <th scope="row" className="w-full max-w-0 py-2 pr-2 text-left font-normal">
                <Label row={row} by={by} />
                {by !== 'day' && <ShareBar row={row} most={most} />}
              </th>
              <Numbers of={row} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="font-medium" data-testid="usage-total">
            <th scope="row" className="py-2 pr-2 text-left font-medium">
              In all
            </th>
            <Numbers of={totals} />
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function Label({ row, by }: { readonly row: UsageRow; readonly by: UsageAnswer['by'] }) {
  if (by === 'conversation') {
    return (
      <Link to="/chat/$id" params={{ id: row.key }} className="block truncate text-link hover:underline">
        {row.label || 'Untitled'}
      </Link>
    );
  }
  return (
    <span className={by === 'model' ? 'block font-mono text-mini leading-5 break-all' : 'tabular-nums'}>
      {row.key}
    </span>
  );
}

function Numbers({ of }: { readonly of: UsageSum }) {
  return (
    <>
      <td className={`${NUMBER} max-sm:hidden`}>{tokens(of.calls)}</td>
      <td className={NUMBER}>{tokens(of.input_tokens)}</td>
      <td className={NUMBER}>{tokens(of.output_tokens)}</td>
      <td
        className={NUMBER}
        title={
          of.unpriced_calls > 0
            ? `${of.unpriced_calls} calls have no known price and are not in it`
            : undefined
        }
      >
        {of.unpriced_calls > 0 && of.cost_usd === 0
          ? 'not known'
          : `${money(of.cost_usd)}${of.unpriced_calls > 0 ? ' +' : ''}`}
      </td>
    </>
  );
}
