// Guarantees: an approval names the hash and the grant that its reviewer sent; it holds for these bytes alone, and is refused
// when they are not the newest any more, or when somebody decided meanwhile. What takes power away acts at once, also when
// it can't be stored. Every decision and its entry in the audit log are one transaction.
// Does not: know what the reviewer understood. The page shows the text and the power; the hash says which.
// An attacker may control: the text, the time at which it changes.
import {
  AppError,
  errorText,
  principalText,
  type Clock,
  type Json,
  type Log,
  type Principal,
  type Redactor,
} from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import { NOT_APPROVED, type ScriptRow, type ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import { requireNoSecret } from './exposed-secrets.ts';
import { readGranted, requireDeclared, type Granted } from './grants.ts';
import { createApprovalExpiry } from './approval-expiry.ts';
import type { ScriptLibrary } from './library.ts';
import type { ScriptState } from './state.ts';

export interface ScriptDecisions {
  /**
   * Errors: `script_changed` (409), `already_decided` (409), `grant_invalid`, `invalid_script`, `secret_in_source`,
   * `not_found`. Without `revision` only what nobody decided on can be approved.
   */
  approve(
    name: string,
    order: {
      readonly hash: string;
      readonly grant?: Json | undefined;
      readonly revision?: number | undefined;
    },
    by: Principal,
  ): Promise<ScriptState>;
  /** Also of an approved version, which stops its runs. Errors: `script_changed` (409) when `hash` is not the newest. */
  reject(
    name: string,
    order: { readonly hash?: string | undefined; readonly reason?: string | undefined },
    by: Principal,
  ): Promise<ScriptState>;
  disable(name: string, by: Principal): Promise<ScriptState>;
  enable(name: string, by: Principal): Promise<ScriptState>;
  /**
   * Takes back the approvals that have run out by now, for good, and stores what could not be stored before. `floor`: it can
   * not be earlier than that, whatever the clock says.
   */
  expireDue(floor?: number): void;
  /** Whether power was taken away that could not be stored; such a script does not run. */
  isHeld(name: string): boolean;
  /** Resolves when somebody decides on this version, or it is not the newest any more; false when the time is over. */
  wait(name: string, hash: string, ms: number, signal: AbortSignal): Promise<boolean>;
}

export interface DecisionDeps {
  readonly library: ScriptLibrary;
  readonly store: ScriptStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
}

const MOST_REASON = 2_000;

export function createScriptDecisions(deps: DecisionDeps): ScriptDecisions {
  const { library, store, database, audit, clock, log, redactor } = deps;
  /** Scripts whose power was taken away while nothing could be stored, with what is still to be stored. */
  const held = new Map<string, () => void>();
  const expiry = createApprovalExpiry({ library, store, database, audit, clock, log });
  const waiters = new Set<{ readonly name: string; readonly tell: () => void }>();
  library.onChange((name) => {
    for (const waiter of waiters) if (waiter.name === name) waiter.tell();
  });

  function entry(event: string, name: string, by: Principal, details: Readonly<Record<string, Json>>) {
    return { event, principal: by, origin: 'page', target: name, outcome: 'ok', details } as const;
  }

  function conflict(code: string, message: string, state: ScriptState): AppError {
    return new AppError({
      family: 'conflict',
      code,
      message,
      fix: 'Look at it as it is now.',
      details: { hash: state.hash, status: state.status, revision: state.row.revision },
    });
  }

  function requireNewest(state: ScriptState, hash: string): void {
    if (state.hash === hash && state.onDisk === 'same') return;
    throw conflict('script_changed', `${state.name} is not the text that was shown any more.`, state);
  }

  function dropGranted(name: string, { grant }: Granted): void {
    const origins = [...grant.secrets.values()].flatMap((secret) => secret.origins);
    const reached = new Set([...grant.hosts, ...origins.map((origin) => new URL(origin).host)]);
    for (const { kind, what } of store.offers(name)) {
      const given =
        kind === 'host'
          ? reached.has(what)
          : kind === 'method'
            ? grant.methods.includes(what)
            : grant.secrets.has(what);
      if (given) store.clearOffer({ name, kind, what });
    }
  }

  /** Less power: it holds even where it can't be stored, and is stored as soon as it can. */
  function reduce(name: string, change: (row: ScriptRow) => void): void {
    library.require(name);
    const act = (): void =>
      database.tx(() => {
        const state = library.state(name);
        if (state === undefined) return;
        change(state.row);
        library.changed(name);
      });
    try {
      act();
    } catch (error) {
      const before = held.get(name);
      const both = (): void => (before?.(), act());
      held.set(name, both);
      log.error('power was taken from a script and could not be stored; it does not run until that works', {
        script: name,
        problem: errorText(error),
      });
      library.changed(name);
      throw error;
    }
  }

  /** Before anything gives power again. Throws while it still can't be stored. */
  function storeHeld(name: string): void {
    const act = held.get(name);
    if (act === undefined) return;
    database.tx(act);
    held.delete(name);
    library.changed(name);
  }

  function storeLate(): void {
    for (const name of held.keys()) {
      try {
        storeHeld(name);
      } catch (error) {
        // Said when it was taken away; the next try comes in a second.
        if (error instanceof AppError) return;
        throw error;
      }
    }
  }

  return {
    async approve(name, { hash, grant, revision }, by) {
      library.require(name);
      return library.inOrder(name, () => {
        storeHeld(name);
        const state = library.require(name);
        requireNewest(state, hash);
        const { source, header, analysis, proposed } = library.facts(hash);
        const [problem] = analysis.problems;
        if (problem)
          throw new AppError({
            family: 'input',
            code: 'invalid_script',
            message: `Line ${problem.line}: ${problem.message}`,
            details: { problems: analysis.problems },
          });
        // Where it is shown the value is hidden, so nobody could have seen what runs.
        requireNoSecret(source, redactor);
        const granted: Granted = readGranted(
          grant === undefined ? (JSON.parse(JSON.stringify(proposed)) as Json) : grant,
        );
        requireDeclared(granted, header);
        const now = clock.now();
        if (granted.expiresAt !== undefined && granted.expiresAt <= now)
          throw new AppError({
            family: 'input',
            code: 'grant_invalid',
            message: 'The approval would have run out already.',
            fix: 'Take a later end, or none.',
          });
        const decided = state.version.decision !== null || state.approved?.hash === hash;
        if (revision !== undefined && revision !== state.row.revision)
          throw conflict('already_decided', `Somebody decided on ${name} meanwhile.`, state);
        if (decided && revision === undefined)
          throw conflict('already_decided', `${name} was decided on already.`, state);
        database.tx(() => {
          const row = library.require(name).row;
          store.decide(row.version, {
            decision: 'approved',
            at: now,
            by: principalText(by),
            reason: null,
          });
          store.passOver(name, row.version, now);
          store.put({
            ...row,
            revision: row.revision + 1,
            approved: hash,
            granted: granted.text,
            approved_at: now,
            approved_by: principalText(by),
          });
          // Of the same text only what is given now is settled; what was not taken up is still open.
          if (state.approved?.hash === hash) dropGranted(name, granted);
          else store.clearOffers(name);
          audit.append(
            entry('script.approved', name, by, {
              hash,
              grant: granted.view as unknown as Json,
              before: state.approved === undefined ? null : state.approved.hash,
              before_grant:
                state.approved === undefined ? null : (state.approved.granted.view as unknown as Json),
            }),
          );
          library.changed(name);
        });
        return library.require(name);
      });
    },

    async reject(name, { hash, reason }, by) {
      const seen = library.require(name);
      // Taking power away does not wait for the folder.
      if (hash !== undefined && hash !== seen.hash)
        throw conflict('script_changed', `${name} is not the text that was shown any more.`, seen);
      const said = redactor.text(reason?.trim().slice(0, MOST_REASON) ?? '').value || null;
      reduce(name, (row) => {
        const now = clock.now();
        store.decide(seen.version.id, { decision: 'rejected', at: now, by: principalText(by), reason: said });
        store.passOver(name, seen.version.id, now);
        const wasApproved = row.approved === seen.hash;
        store.put({
          ...row,
          revision: row.revision + 1,
          ...(wasApproved ? NOT_APPROVED : {}),
        });
        audit.append(
          entry('script.rejected', name, by, { hash: seen.hash, reason: said, revoked: wasApproved }),
        );
      });
      return library.require(name);
    },

    async disable(name, by) {
      reduce(name, (row) => {
        if (row.disabled_at !== null) return;
        store.put({
          ...row,
          revision: row.revision + 1,
          disabled_at: clock.now(),
          disabled_by: principalText(by),
        });
        audit.append(entry('script.disabled', name, by, { hash: library.require(name).hash }));
      });
      return library.require(name);
    },

    async enable(name, by) {
      library.require(name);
      storeHeld(name);
      database.tx(() => {
        const { row, hash } = library.require(name);
        if (row.disabled_at === null) return;
        store.put({ ...row, revision: row.revision + 1, disabled_at: null, disabled_by: null });
        audit.append(entry('script.enabled', name, by, { hash }));
        library.changed(name);
      });
      return library.require(name);
    },

    expireDue(floor) {
      expiry.expireDue(floor);
      storeLate();
    },

    isHeld: (name) => held.has(name) || expiry.isUnstored(name),

    wait(name, hash, ms, signal) {
      const settled = (): boolean => {
        const state = library.state(name);
        return state === undefined || state.hash !== hash || state.version.decision !== null;
      };
      return new Promise((resolve) => {
        if (settled()) return resolve(true);
        const waiter = { name, tell: () => void (settled() && end(true)) };
        const end = (done: boolean): boolean => {
          clearTimeout(timer);
          waiters.delete(waiter);
          signal.removeEventListener('abort', stop);
          resolve(done);
          return done;
        };
        const stop = (): void => void end(false);
        const timer = setTimeout(stop, ms);
        signal.addEventListener('abort', stop, { once: true });
        waiters.add(waiter);
      });
    },
  };
}
