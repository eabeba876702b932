import type { AuditVerdict } from '../../guard/audit/index.ts';
import type { AuditFilter } from '../../host/storage/audit-filter.ts';
import type { ImportAnswer, ImportRequest } from './import-ports.ts';
import type { ScriptTestReport, ScriptTestRequest } from './script-test-ports.ts';

/** What every command can be told. */
export interface CliFlags {
  readonly workspace?: string | undefined;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  /** Only `start`. */
  readonly port?: number | undefined;
  /** Arguments that are paths: who goes on in another folder has to make them absolute. */
  readonly paths?: readonly string[] | undefined;
}

/** One line of `config show`. A secret's value never stands here: only `set` or `not set`. */
export interface SettingView {
  readonly key: string;
  readonly value: string;
  readonly source: 'flag' | 'env' | 'file' | 'default';
  /** The flag, the variable or `file:line`. */
  readonly from: string | null;
}

export interface AuditLine {
  readonly seq: number;
  readonly at: string;
  readonly event: string;
  readonly actor: string;
  readonly origin: string;
  readonly target: string;
  readonly outcome: string;
  readonly details: unknown;
  readonly hash: string;
}

/**
 * The acts that work beside a running instance. Implemented twice by the composition root: in the instance (behind the
 * control socket), and directly on the workspace when no instance runs. Arguments come from the operator, unchecked but
 * for their types; refusals are thrown as AppError.
 */
export interface RekeyRequest {
  readonly to: 'file' | 'passphrase';
  /** The present one, where the vault is under a passphrase. */
  readonly passphrase?: string | undefined;
  readonly newPassphrase?: string | undefined;
  /** Where the key comes from outside: absolute, mode 0600. */
  readonly newKeyFile?: string | undefined;
}

export interface RekeyAnswer {
  readonly resealed: number;
  /** Records that did not open, left as they were. */
  readonly damaged: number;
  readonly protection: VaultState['protection'];
}

export interface VaultState {
  readonly sealed: boolean;
  readonly protection: 'key_file' | 'external' | 'passphrase';
}

export interface ControlHandlers {
  version(): Promise<{ readonly version: string; readonly pid: number }>;
  configShow(): Promise<{ readonly settings: readonly SettingView[] }>;
  auditVerify(): Promise<AuditVerdict>;
  /** Newest first. */
  auditList(
    query: AuditFilter & { readonly limit: number },
  ): Promise<{ readonly entries: readonly AuditLine[] }>;
  vaultStatus(): Promise<VaultState>;
  /** Errors: `wrong_passphrase`, `rate_limited`. Does nothing when the vault is open. */
  vaultUnlock(request: { readonly passphrase: string }): Promise<{ readonly sealed: boolean }>;
  /** Error: `vault_not_lockable`. */
  vaultLock(): Promise<{ readonly sealed: boolean }>;
  /** Sets the password and ends all logins of the user. Without a name: the only user. */
  resetPassword(request: {
    readonly username?: string | undefined;
    readonly password: string;
  }): Promise<{ readonly username: string; readonly ended_logins: number }>;
}

/** The acts on a workspace in which nothing runs. `resetPassword`, `rekey` and `import` take the instance lock. */
export interface DirectHandlers extends Pick<ControlHandlers, 'auditVerify' | 'auditList' | 'resetPassword'> {
  /** Where the key comes from; opens nothing. */
  protection(): VaultState['protection'];
  /** Errors: `already_running`, `wrong_passphrase`, `passphrase_weak`, `rekey_key_file`. */
  rekey(request: RekeyRequest): Promise<RekeyAnswer>;
  /** Errors: `already_running`, `not_an_original`, `import_unreadable`, `user_needed`, `wrong_passphrase`. */
  import(request: ImportRequest): Promise<ImportAnswer>;
  close(): void;
}

/** What the command line needs of a loaded configuration. */
export interface CliConfig {
  /** `secure/data` of the workspace. */
  readonly dataDir: string;
  readonly workspace: string;
  /** Things worth saying that are no errors. */
  readonly notices: readonly string[];
  settings(): readonly SettingView[];
}

/** What the composition root gives the command line. `C` is its own loaded configuration. */
export interface CliCommands<C extends CliConfig> {
  readonly version: string;
  /** Throws AppError of family `config` with every problem. */
  load(flags: CliFlags): C;
  /** Runs the instance until it is told to stop; resolves to the exit code. */
  start(config: C, flags: CliFlags): Promise<number>;
  /** Tries every control on a trial of its own; prints what it found and resolves to the exit code. */
  doctor(config: C, flags: CliFlags): Promise<number>;
  /** Needs no workspace and makes none. */
  scriptTest(request: ScriptTestRequest): Promise<ScriptTestReport>;
  /** Only called when no instance answers. Opens nothing before an act is called. */
  direct(config: C): DirectHandlers;
}

/** Exit codes (L-03). `isolation`: the machine offers less than security.min_isolation asks for. */
export const EXIT = { ok: 0, failed: 1, usage: 2, isolation: 77, config: 78 } as const;
