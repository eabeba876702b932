import { errorText, type Log } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import { createAdminServer, createHealthServer } from '../edge/admin/index.ts';
import { createControlServer } from '../edge/cli/index.ts';
import { seedContextFiles, writeProfile } from '../engine/profile.ts';
import { createChainWatch } from '../guard/audit/index.ts';
import { tokenKey } from '../guard/identity/index.ts';
import { createPrivateFile, type FileChild } from '../host/files/index.ts';
import { createHttpClient } from '../host/net/index.ts';
import { bootTime } from '../host/files/boot-time.ts';
import { readTree } from '../host/files/read-tree.ts';
import { createChildLedger, type IsolationReport, type Launcher } from '../host/process/index.ts';
import { createAuditStore, createToolCallStore } from '../host/storage/index.ts';
import { createInboxStore } from '../host/storage/inbox-store.ts';
import { createLoginStore } from '../host/storage/login-store.ts';
import { createUsageStore } from '../host/storage/usage-store.ts';
import { createUsersStore } from '../host/storage/users-store.ts';
import { approvalsPort, conversationsPort, modelsPort, systemPort, toolsPort } from './admin-ports.ts';
import { createAssistant, type Assistant } from './assistant.ts';
import { auditPort } from './audit-port.ts';
import { capabilitiesPort } from './capabilities/capabilities.ts';
import { machineTime } from './clock-floor.ts';
import { controlHandlers } from './control.ts';
import { openFoundation, type Foundation } from './foundation.ts';
import { broughtFiles } from './import-files.ts';
import type { Layout } from './layout.ts';
import type { Parts } from './parts.ts';
import { secretsPort } from './secrets-port.ts';
import { createScripts, type Scripts } from './scripts.ts';
import { createFolderLook } from './script-folder.ts';
import { scriptsPort } from './script-ports.ts';
import { usagePort } from './usage-ports.ts';
import { requireIsolation } from './isolation.ts';
import { identityFilesPort, policyPort } from './owner-ports.ts';

/** A running OpenPact. */
export interface Program {
  /** Such as `http://127.0.0.1:8888`. */
  readonly address: string;
  /** Only while the admin account is still to be made. */
  readonly setup: { readonly code: string; readonly file: string } | null;
  readonly isolation: IsolationReport;
  readonly workspace: string;
  /** For `doctor`, which tries its parts one by one. */
  readonly inside: {
    readonly base: Foundation;
    readonly assistant: Assistant;
    readonly files: FileChild;
    readonly launcher: Launcher;
  };
  stop(why: string): Promise<void>;
}

const EXPIRE_EVERY_MS = 1_000;

/** Opens the workspace, puts it in order and serves it. Whatever fails, what was opened is closed again. */
export async function startProgram(loaded: LoadedConfig, parts: Parts, layout: Layout): Promise<Program> {
  const { config } = loaded;
  const undo: (() => Promise<void> | void)[] = [];
  const unwind = async (): Promise<void> => {
    for (const act of undo.splice(0).toReversed()) await act();
  };
  try {
    const base = openFoundation(loaded, parts);
    undo.push(() => base.close());
    const { database, audit, clock, settings, paths } = base;
    const log = base.log.child('main');

    const users = parts.users();
    const { killed, left } = await parts.sweep(paths.children, users);
    if (killed.length > 0) log.warn('processes that an earlier run left behind were ended', { killed });
    if (left.length > 0) log.error('processes that an earlier run left behind could not be ended', { left });
    const isolation = await parts.isolation(layout.processAssets, users);
    requireIsolation(isolation, config);
    const launcher = parts.launcher(
      layout.processAssets,
      createChildLedger(paths.children, (problem) =>
        log.warn('the list of child processes could not be written', { problem: errorText(problem) }),
      ),
    );
    const allowUnfenced = isolation.level < 2;
    const files = parts.fileChild({
      launcher,
      entry: layout.fileChild.entry,
      read: layout.fileChild.read,
      root: paths.aiData,
      allowUnfenced,
      user: users?.system,
      log: base.log.child('files'),
    });
    undo.push(() => files.stop());

    const watch = createChainWatch({ audit, clock, log: base.log.child('audit') });
    const ending = new AbortController();
    undo.push(async () => {
      ending.abort();
      await watch.stop();
    });

    const http = createHttpClient();
    undo.push(() => http.close());
    const scripts = createScripts(base, parts, layout, {
      launcher,
      isolation,
      files,
      user: users?.script,
    });
    undo.push(() => scripts.stop());
    const assistant = createAssistant(base, parts, layout, {
      launcher,
      files,
      scripts,
      http,
      allowUnfenced,
      user: users?.ai,
    });
    undo.push(() => assistant.engine.stop());
    undo.push(() => assistant.turns.shutdown());
    undo.push(() => assistant.orphans.shutdown());

    let seeded: Promise<void> = Promise.resolve();
    const codeFile = createPrivateFile(paths.setupCode);
    const identity = parts.identity({
      database,
      users: createUsersStore(database),
      logins: createLoginStore(database),
      settings,
      audit,
      clock,
      log: base.log.child('identity'),
      key: tokenKey(loaded.secrets.get('ADMIN_JWT_SECRET')?.reveal(), base.tokenKey),
      codeFile: {
        write: async (code) => codeFile.replace(`${code}\n`),
        remove: async () => void codeFile.remove(),
      },
      profileWriter: {
        async write(profile) {
          // A setup that is quick would be overwritten by the neutral texts.
          await seeded;
          await writeProfile(files, profile, broughtFiles(settings));
        },
      },
      options: {
        accessSeconds: config.admin.jwt.accessExpiryMs / 1000,
        refreshIdleMs: config.admin.jwt.refreshExpiryMs,
      },
    });

    const inbox = createInboxStore(database);
    const look = createFolderLook(scripts.library, log);
    const system = systemPort(assistant, {
      pendingScripts() {
        // Every page asks for this all the time: so a file that somebody dropped is found, whatever is open.
        look();
        return inbox.countWaitingScripts();
      },
      sealed: () => base.seal.sealed(),
      version: layout.version,
      isolation: () => isolation,
      databaseProblem: () => database.problem(),
      stopScripts: () => scripts.stopAll(),
      log,
    });
    const server = createAdminServer({
      identity,
      conversations: conversationsPort(assistant.conversations),
      approvals: approvalsPort(assistant, {
        calls: createToolCallStore(database),
        inbox,
        scripts,
        stepUp: config.admin.stepUp ? identity.stepUp : undefined,
        look,
        log: base.log.child('inbox'),
      }),
      audit: auditPort({
        audit,
        store: createAuditStore(database),
        watch,
        clock,
        signal: ending.signal,
      }),
      tools: toolsPort(assistant),
      models: modelsPort(assistant),
      policy: policyPort(assistant, identity.stepUp),
      capabilities: capabilitiesPort(assistant, {
        config,
        isolation,
        scripts: scripts.library,
        clock,
      }),
      identityFiles: identityFilesPort(assistant.keptFiles),
      usage: usagePort(assistant.budgets, createUsageStore(database), {
        config: config.budget,
        stepUp: identity.stepUp,
      }),
      secrets: secretsPort(base.secretVault, {
        stepUp: identity.stepUp,
        always: config.admin.stepUp,
      }),
      vault: parts.vaultPort(base.seal),
      scripts: scriptsPort(scripts, {
        stepUp: config.admin.stepUp ? identity.stepUp : undefined,
        hasSecret: (name) => base.secretVault.get(name) !== undefined,
        clock,
      }),
      system,
      pages: readTree(layout.page),
      redactor: base.redactor,
      clock,
      log: base.log.child('admin'),
      options: {
        host: config.admin.bind.host,
        port: config.admin.bind.port,
        version: layout.version,
        publicOrigins: config.admin.allowedOrigins,
        allowedIps: config.admin.allowedIps,
        insecureHttp: config.admin.insecureHttp,
        trustedProxies: config.admin.trustedProxies,
        rateLimit: config.server.rateLimit,
      },
    });

    const control = createControlServer({
      folder: paths.data,
      handlers: controlHandlers({
        version: layout.version,
        loaded,
        audit,
        auditStore: createAuditStore(database),
        identity,
        users: createUsersStore(database),
        seal: base.seal,
        signal: ending.signal,
      }),
      log: base.log.child('control'),
    });
    await control.listen();
    undo.push(() => control.close());

    const code = await identity.setup.begin();
    if (code !== undefined) base.known.add('SETUP_CODE', code);
    audit.append({
      event: 'system.started',
      principal: { kind: 'system' },
      origin: 'system',
      target: layout.version,
      outcome: 'ok',
      details: {
        isolation: isolation.level,
        interrupted_turns: assistant.recovered.interruptedTurns,
        unknown_calls: assistant.recovered.unknownCalls,
        ...machineTime(bootTime()),
      },
    });
    const { address } = await server.listen();
    undo.push(() => server.close());
    const { healthAddress } = config.server;
    if (healthAddress !== undefined) {
      const health = createHealthServer({
        identity,
        vault: parts.vaultPort(base.seal),
        system,
        clock,
        version: layout.version,
        log: base.log.child('health'),
        address: healthAddress,
      });
      await health.listen();
      undo.push(() => health.close());
    }

    // Nothing acts before the vault is open: until then nobody knows what would have to be hidden.
    base.seal.whenOpen(() => {
      watch.start();
      // Not waited for: the page is there at once, and says that the engine is starting.
      void assistant.engine.start();
      seeded = seedContextFiles(files).catch((error: unknown) =>
        log.warn('the context files could not be made', { problem: errorText(error) }),
      );
      for (const row of assistant.recovered.approvedCalls) {
        assistant.orphans.run(row, { status: 'approved', by: row.decided_by ?? '' });
      }
    });
    base.seal.whenLocked(() => void scripts.stopAll());
    base.seal.whenLocked(({ principal }) => void assistant.turns.stopAll(principal));
    base.seal.whenLocked(() => void assistant.orphans.stopAll());
    const expiry = setInterval(() => expire(assistant, scripts, log), EXPIRE_EVERY_MS);
    undo.push(() => clearInterval(expiry));

    return {
      address,
      setup: code === undefined ? null : { code, file: paths.setupCode },
      isolation,
      workspace: paths.root,
      inside: { base, assistant, files, launcher },
      async stop(why) {
        log.info('stopping', { why });
        audit.note({
          event: 'system.stopped',
          principal: { kind: 'system' },
          origin: 'system',
          target: layout.version,
          outcome: 'ok',
          details: { why, ...machineTime(bootTime()) },
        });
        await unwind();
      },
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

function expire(assistant: Assistant, scripts: Scripts, log: Log): void {
  try {
    assistant.approvals.expireDue();
    scripts.decisions.expireDue();
  } catch (error) {
    log.error('the requests that are due could not be read', { problem: errorText(error) });
  }
}
