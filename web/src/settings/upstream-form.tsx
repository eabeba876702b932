import { useState, type FormEvent } from 'react';
import { call, explain } from '../api/client.ts';
import { models, queryClient, upstreams } from '../api/queries.ts';
import type { UpstreamChange, UpstreamTest, UpstreamView } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/notice.tsx';
import { duration } from '../ui/time.tsx';

/**
 * Key and base URL of one upstream, and one tiny call to see that they work. A key that was saved is never shown
 * again: the field is empty and typing in it replaces the key.
 */
export function UpstreamForm({
  upstream,
  onTested,
}: {
  readonly upstream: UpstreamView;
  readonly onTested?: (ok: boolean) => void;
}) {
  const { name, needs_key: needsKey, has_key: hasKey, key_source: source } = upstream;
  const [key, setKey] = useState('');
  const [url, setUrl] = useState(upstream.base_url ?? '');
  const [model, setModel] = useState('');
  const [busy, setBusy] = useState<'save' | 'test' | 'remove' | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [result, setResult] = useState<UpstreamTest | null>(null);
  const fromEnvironment = source === 'environment';
  const ownUrl = name === 'openai-compatible' || name === 'azure';
  const asksUrl = ownUrl || name === 'ollama';
  const urlChanged = url.trim() !== (upstream.base_url ?? '');
  const changed = key.trim() !== '' || urlChanged;
  const complete =
    (!needsKey || hasKey || key.trim() !== '') &&
    (!ownUrl || url.trim() !== '' || upstream.default_base_url !== null);

  async function act(what: 'save' | 'test' | 'remove') {
    setBusy(what);
    setProblem(null);
    setResult(null);
    try {
      const change: UpstreamChange = {
        ...(what === 'remove' ? { api_key: null } : key.trim() === '' ? {} : { api_key: key.trim() }),
        ...(urlChanged && what !== 'remove' ? { base_url: url.trim() === '' ? null : url.trim() } : {}),
        ...(upstream.enabled || what === 'remove' ? {} : { enabled: true }),
      };
      if (Object.keys(change).length > 0) {
        const saved = await call<UpstreamView>('PUT', `/api/llm/upstreams/${name}`, { body: change });
        setKey('');
        // The address as it counts, which may be longer than what was typed.
        setUrl(saved.base_url ?? '');
        await queryClient.invalidateQueries(upstreams);
      }
      if (what === 'test') {
        const test = await call<UpstreamTest>('POST', `/api/llm/upstreams/${name}/test`, {
          body: model.trim() === '' ? {} : { model: model.trim() },
        });
        setResult(test);
        onTested?.(test.ok);
      } else {
        onTested?.(false);
      }
      void queryClient.invalidateQueries(models);
    } catch (error) {
      const { message, fix } = explain(error);
      setProblem(fix ? `${message} ${fix}` : message);
      onTested?.(false);
    } finally {
      setBusy(null);
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (complete && busy === null) void act('test');
  }

  return (
    <form className="flex flex-col gap-1" onSubmit={submit} data-testid={`upstream-form-${name}`}>
      {asksUrl && (
        <TextField
          label="Base URL"
          mono
          type="url"
          spellCheck={false}
          autoComplete="off"
          placeholder={
            upstream.default_base_url ??
            (name === 'azure' ? 'https://NAME.openai.azure.com' : 'https://models.example.org/v1')
          }
          value={url}
          onChange={(event) => setUrl(event.target.value)}
          hint={
            upstream.default_base_url && url === ''
              ? `Empty means ${upstream.default_base_url}`
              : name === 'azure'
                ? 'The endpoint of your resource; /openai/v1 is added where it is missing.'
                : 'Where its API begins, usually ending in /v1.'
          }
          data-testid={`upstream-url-${name}`}
        />
      )}
      {fromEnvironment ? (
        <p className="pb-2 text-meta text-muted">
          The key comes from the environment. It wins over a stored one and can only be changed there.
        </p>
      ) : (
        name !== 'ollama' && (
          <TextField
            label={hasKey ? 'Replace the key' : needsKey ? 'API key' : 'API key, if it wants one'}
            secret
            mono
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
            placeholder={hasKey ? 'A key is set' : ''}
            hint={
              hasKey
                ? 'The stored key is sealed and never shown again.'
                : 'Sealed on this machine; neither the page nor the assistant can read it back.'
            }
            data-testid={`upstream-key-${name}`}
          />
        )
      )}
      {ownUrl && (
        <TextField
          label={name === 'azure' ? 'Deployment for the test call' : 'Model for the test call'}
          mono
          spellCheck={false}
          autoComplete="off"
          value={model}
          onChange={(event) => setModel(event.target.value)}
          hint={
            name === 'azure'
              ? 'Azure has no list of your deployments.'
              : 'Only needed where the server has no list of models.'
          }
          data-testid={`upstream-test-model-${name}`}
        />
      )}
      <div className="flex flex-wrap items-center gap-2 pt-1">
        <Button
          type="submit"
          tone={changed ? 'primary' : 'plain'}
          busy={busy === 'test'}
          disabled={!complete || busy !== null}
          data-testid={`upstream-test-${name}`}
        >
          {changed ? 'Save and test' : 'Test with one small call'}
        </Button>
        {changed && (
          <Button
            busy={busy === 'save'}
            disabled={busy !== null}
            onClick={() => void act('save')}
            data-testid={`upstream-save-${name}`}
          >
            Save without a test
          </Button>
        )}
        {hasKey && !fromEnvironment && (
          <Button
            tone="danger-plain"
            busy={busy === 'remove'}
            disabled={busy !== null}
            onClick={() => void act('remove')}
            data-testid={`upstream-remove-${name}`}
          >
            Remove the key
          </Button>
        )}
      </div>
      {(result || problem) && (
        <Notice tone={result?.ok ? 'ok' : 'stop'} className="mt-2" testId={`upstream-result-${name}`}>
          {result ? (
            <p>
              {result.message} <span className="text-muted">({duration(result.duration_ms)})</span>
            </p>
          ) : (
            problem
          )}
        </Notice>
      )}
    </form>
  );
}
