// Guarantees: a version, what it makes of its script and its entry in the audit log are written together. What was rejected
// stays so, whoever brings it again; the approved text that comes back is the approved one; nothing else is decided here but
// digests that the configuration pins, each for one script and only until its owner rejects it: else a copy under another
// name would undo a rejection or a switch-off, and have quotas of its own.
// An attacker may control: the text, the message, by which door they come.
import { principalText, type Clock, type Json, type Principal, type Redactor } from '../../core/index.ts';
import { NOT_APPROVED, type ScriptRow, type ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import { readGranted } from './grants.ts';
import type { Save } from './library.ts';
import type { VersionFacts } from './version-facts.ts';
import { hashOf } from './script-name.ts';
import { CONFIGURATION } from './unpinned.ts';

const MOST_MESSAGE = 500;

export function createRecorder({
  store,
  audit,
  clock,
  redactor,
  autoApprove,
  facts,
  changed,
}: {
  readonly store: ScriptStore;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly autoApprove: ReadonlySet<string>;
  readonly facts: (hash: string) => VersionFacts;
  readonly changed: (name: string) => void;
}) {
  /** Adds a version and makes it the newest. Inside a transaction. */
  return function record(
    row: ScriptRow | undefined,
    save: Pick<Save, 'name' | 'source' | 'how' | 'origin' | 'message'> & {
      readonly by: Principal | undefined;
    },
    onDisk: string,
  ): void {
    const { name, source, how, by } = save;
    const now = clock.now();
    const hash = hashOf(source);
    const before = row && store.version(row.version);
    const earlier = store.versionOf(name, hash);
    // What was rejected stays so, whoever brings it again; the owner can restore it.
    const keeps = how === 'restored' ? null : earlier?.decision === 'rejected' ? earlier : null;
    const back = how !== 'restored' && row?.approved === hash && earlier !== undefined ? earlier : null;
    const decided = keeps ?? back;
    const version = store.addVersion({
      name,
      hash,
      source,
      parent: before?.hash ?? null,
      author: by === undefined ? 'unknown' : principalText(by),
      by_assistant: by?.kind === 'assistant' ? 1 : 0,
      how,
      message: redactor.text(save.message?.trim().slice(0, MOST_MESSAGE) ?? '').value,
      created_at: now,
      decision: decided?.decision ?? null,
      decided_at: decided?.decided_at ?? null,
      decided_by: decided?.decided_by ?? null,
      reason: decided?.reason ?? null,
      ended_how: decided === null ? null : 'kept',
      ended_at: decided === null ? null : now,
      ended_by: null,
    });
    store.supersede(name, version.id, now, version.author);
    const restoredApproved = how === 'restored' && row?.approved === hash;
    const pinned =
      autoApprove.has(hash) && how !== 'restored' && decided === null && !store.isSpent(name, hash);
    const grant = pinned ? readGranted(JSON.parse(JSON.stringify(facts(hash).proposed)) as Json) : undefined;
    if (pinned) store.decide(version.id, { decision: 'approved', at: now, by: CONFIGURATION, reason: null });
    store.put({
      name,
      version: version.id,
      on_disk: onDisk,
      revision: (row?.revision ?? 0) + 1,
      approved: row?.approved ?? null,
      granted: row?.granted ?? null,
      approved_at: row?.approved_at ?? null,
      approved_by: row?.approved_by ?? null,
      disabled_at: row?.disabled_at ?? null,
      disabled_by: row?.disabled_by ?? null,
      created_at: row?.created_at ?? now,
      modified_at: now,
      ...(restoredApproved ? NOT_APPROVED : {}),
      ...(grant === undefined
        ? {}
        : { approved: hash, granted: grant.text, approved_at: now, approved_by: CONFIGURATION }),
    });
    const entry = {
      principal: by ?? ({ kind: 'system' } as const),
      origin: save.origin,
      target: name,
      outcome: 'ok',
    } as const;
    audit.append({
      ...entry,
      event: 'script.version',
      details: { hash, parent: before?.hash ?? null, how, bytes: Buffer.byteLength(source) },
    });
    if (grant !== undefined)
      audit.append({
        ...entry,
        principal: { kind: 'system' },
        event: 'script.approved',
        details: { hash, grant: grant.view as unknown as Json, by: CONFIGURATION },
      });
    changed(name);
  };
}
