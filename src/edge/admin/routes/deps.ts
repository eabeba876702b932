import type { Clock, Log } from '../../../core/index.ts';
import type { ScriptsPort } from '../script-port.ts';
import type { Identity } from '../../../guard/identity/index.ts';
import type {
  ApprovalsPort,
  AuditPort,
  CapabilitiesPort,
  ConversationsPort,
  IdentityFilesPort,
  ModelsPort,
  PolicyPort,
  SecretsPort,
  SystemPort,
  ToolsPort,
  UsagePort,
  VaultPort,
} from '../ports.ts';

/** What the handlers work with. */
export interface RouteDeps {
  readonly identity: Identity;
  readonly audit: AuditPort;
  readonly conversations: ConversationsPort;
  readonly approvals: ApprovalsPort;
  readonly tools: ToolsPort;
  readonly models: ModelsPort;
  readonly policy: PolicyPort;
  readonly capabilities: CapabilitiesPort;
  readonly identityFiles: IdentityFilesPort;
  readonly usage: UsagePort;
  readonly secrets: SecretsPort;
  readonly vault: VaultPort;
  readonly scripts: ScriptsPort;
  readonly system: SystemPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}
