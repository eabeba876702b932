import { isoTime } from '../core/index.ts';
import type { SecretChange, SecretFacts } from '../edge/admin/api.ts';
import type { Actor, SecretsPort, VaultPort } from '../edge/admin/ports.ts';
import type { StepUp } from '../guard/identity/index.ts';
import type { Seal, SecretVault, SecretView } from '../guard/secrets/index.ts';

export function vaultPort(seal: Seal): VaultPort {
  return {
    sealed: () => seal.sealed(),
    status: () => ({ sealed: seal.sealed(), protection: seal.protection }),
    unlock: (passphrase, { principal }) => seal.unlock(passphrase, { principal, origin: 'page' }),
    lock: ({ principal }) => seal.lock({ principal, origin: 'page' }),
    untilLocked: () => seal.untilLocked(),
  };
}

/** `always`: the configuration asks for the password at every act that gives power; more hosts for a secret ask always. */
export function secretsPort(
  vault: SecretVault,
  options: { readonly stepUp: StepUp; readonly always: boolean },
): SecretsPort {
  const confirm = async (
    act: string,
    needed: boolean,
    password: string | undefined,
    actor: Actor,
  ): Promise<void> => {
    if (!needed) return;
    const { principal, address } = actor;
    await options.stepUp.requireStepUp({ principal, address, act, password });
  };
  const fieldsOf = ({ hosts, note, rotate_by, confirm_weak }: Omit<SecretChange, 'value'>) => ({
    hosts,
    note,
    rotateBy: rotate_by,
    confirmWeak: confirm_weak,
  });
  return {
    list: () => vault.list().map(factsOf),
    get(name) {
      const found = vault.get(name);
      return found === undefined ? undefined : factsOf(found);
    },
    async create(name, secret, actor) {
      await confirm('secret.create', options.always, secret.password, actor);
      return factsOf(vault.create(name, { ...fieldsOf(secret), value: secret.value }, actor.principal));
    },
    async change(name, change, actor) {
      const widens = vault.wouldWiden(name, change.hosts);
      await confirm('secret.change', options.always || widens, change.password, actor);
      const { if_updated_at: seen, value } = change;
      return factsOf(
        vault.change(
          name,
          {
            ...fieldsOf(change),
            value,
            // A time that is none is no time at which it was changed.
            ifUpdatedAt: seen === undefined ? undefined : Date.parse(seen),
          },
          actor.principal,
        ),
      );
    },
    remove: (name, actor) => vault.remove(name, actor.principal),
  };
}

function factsOf(view: SecretView): SecretFacts {
  const time = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
  const { lastUsed } = view;
  return {
    name: view.name,
    source: view.source,
    stored: view.stored,
    hosts: view.hosts,
    note: view.note,
    rotate_by: view.rotateBy,
    due: view.due,
    matched: view.matched,
    created_at: time(view.createdAt),
    updated_at: time(view.updatedAt),
    rotated_at: time(view.rotatedAt),
    last_used: lastUsed === null ? null : { at: isoTime(lastUsed.at), by: lastUsed.by },
  };
}
