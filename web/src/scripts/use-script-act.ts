import { useState } from 'react';
import { call, CallError, explain } from '../api/client.ts';
import type { Method } from '../api/client.ts';
import type { Script } from '../api/types.ts';
import type { Mistake } from '../code/mistakes.ts';
import { placeScript, refreshScript, scriptPath } from './script-queries.ts';

interface Order {
  readonly method: Method;
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The version that it is about, as it was shown. */
  readonly hash?: string;
  /** What is said when it worked. */
  readonly done: string;
  /** For the button of the password dialog. */
  readonly act: string;
}

/** What is said when an act worked, and after which state: once that is another one, it says nothing about it. */
interface Said {
  readonly words: string;
  readonly hash: string;
  readonly revision: number;
}

export interface ScriptAct {
  readonly busy: string | null;
  readonly problem: string | null;
  /** Why a text was not saved, line by line. */
  readonly mistakes: readonly Mistake[];
  readonly said: Said | null;
  /** The server wants the password for this act. */
  readonly stepUp: { readonly order: Order; readonly problem: string | null } | null;
  readonly run: (order: Order, password?: string) => Promise<Script | undefined>;
  readonly cancelStepUp: () => void;
}

const NONE: readonly Mistake[] = [];

/** One act on a script at a time. `onConflict`: something else was decided or stands there now, and it is to be shown. */
export function useScriptAct(name: string, onConflict: () => void): ScriptAct {
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [mistakes, setMistakes] = useState(NONE);
  const [said, setSaid] = useState<Said | null>(null);
  const [stepUp, setStepUp] = useState<ScriptAct['stepUp']>(null);

  async function run(order: Order, password?: string): Promise<Script | undefined> {
    setBusy(order.act);
    setProblem(null);
    setMistakes(NONE);
    setSaid(null);
    const withPassword = password !== undefined;
    const body = withPassword ? { ...order.body, password } : order.body;
    try {
      const changed = await call<Script>(order.method, scriptPath(name, order.path), {
        ...(body === undefined ? {} : { body }),
        bodyHasPassword: withPassword,
      });
      setStepUp(null);
      setSaid({ words: order.done, hash: changed.hash, revision: changed.revision });
      placeScript(changed);
      return changed;
    } catch (error) {
      const { message, fix } = explain(error);
      const text = fix ? `${message.replace(/(?<![.?])$/, '.')} ${fix}` : message;
      if (!(error instanceof CallError)) {
        setStepUp(null);
        setProblem(text);
      } else if (error.status === 403 && error.code === 'step_up_required') {
        setStepUp({ order, problem: withPassword ? text : null });
      } else if (withPassword && [401, 403, 429].includes(error.status)) {
        setStepUp({ order, problem: error.retryAfter ? `${text} Wait ${error.retryAfter} s.` : text });
      } else {
        setStepUp(null);
        const wrong = order.method === 'PUT' && error.problems !== undefined;
        // Those are shown where they stand, by the editor.
        if (wrong) {
          setMistakes(error.problems);
          return undefined;
        }
        const saving = order.method === 'PUT';
        const newer = error.status === 409 && error.code === 'script_changed';
        setProblem(
          newer && saving
            ? 'A newer version came in between: nothing was saved. Your text is still here; below is what it would change in the newer one.'
            : newer
              ? `A newer version came in between: nothing was decided. It is shown now. ${text}`
              : text,
        );
        // What somebody is writing stays; the editor shows what changed meanwhile beside it.
        if (error.status === 409 && !saving) onConflict();
      }
      refreshScript(name);
      return undefined;
    } finally {
      setBusy(null);
    }
  }

  return { busy, problem, mistakes, said, stepUp, run, cancelStepUp: () => setStepUp(null) };
}
