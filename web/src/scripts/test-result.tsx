import type { ScriptTestAnswer } from '../api/types.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { TextBlock } from '../ui/json-view.tsx';
import { Notice } from '../ui/notice.tsx';
import { duration } from '../ui/time.tsx';

/** How a test ended, of which kind it was, what it gave back, printed and asked for. */
export function TestResult({ answer }: { readonly answer: ScriptTestAnswer }) {
  const { success, error, result, logs, requests } = answer;
  const at = error?.line === null || error?.line === undefined ? '' : `Line ${error.line}: `;
  return (
    <div className="flex flex-col gap-2" data-testid="script-test-result" data-live={answer.live}>
      <Notice
        tone={success ? 'ok' : 'stop'}
        title={`${answer.live ? 'For real, with its grant' : 'Made up, without power'}: it ${
          success ? 'ran' : 'failed'
        } in ${duration(answer.duration_ms)}.`}
      >
        {error && (
          <p>
            {at}
            <ExactText text={error.message} />
          </p>
        )}
      </Notice>
      {success && (
        <>
          <p className="text-mini font-medium text-muted">What it gave back</p>
          <TextBlock text={JSON.stringify(result, null, 2)} />
        </>
      )}
      {logs.length > 0 && (
        <>
          <p className="text-mini font-medium text-muted">What it printed</p>
          <TextBlock text={logs.join('\n')} />
        </>
      )}
      {requests.length > 0 && (
        <>
          <p className="text-mini font-medium text-muted">
            {answer.live ? 'What it asked for' : 'What it would have asked for'}
          </p>
          <TextBlock
            text={requests
              .map(
                ({ method, url, refused }) =>
                  `${method} ${url.replace(/^\/\//, '')}${refused ? `: refused, ${refused}` : ''}`,
              )
              .join('\n')}
          />
        </>
      )}
    </div>
  );
}
