/**
 * Opens a workspace in which nothing runs, as a start does (a rekey that was cut off is settled), and prints what its vault
 * holds as JSON. A program of its own, because the workspace belongs to the user that OpenPact runs as.
 */
import { openFoundation } from '../../src/compose/foundation.ts';
import { productParts } from '../../src/compose/parts.ts';
import { loadConfig } from '../../src/config/index.ts';
import { revealSecret } from '../../src/guard/secrets/index.ts';

const [workspace = '', passphrase = ''] = process.argv.slice(2);
const loaded = loadConfig({
  flags: { workspace },
  environment: {},
  folder: workspace,
  workspaceDefault: workspace,
});
const base = openFoundation(loaded, productParts);
if (base.seal.sealed()) {
  await base.seal.unlock(passphrase, { principal: { kind: 'operator' }, origin: 'cli' });
}
const values = base.secretVault
  .list()
  .map(({ name }) => [name, revealSecret(base.vault, { kind: 'script', name }, 'script_request')]);
const openai = revealSecret(base.vault, { kind: 'llm_key', name: 'openai' }, 'llm_call');
const audit = await base.audit.verify();
base.close();
process.stdout.write(JSON.stringify({ values: Object.fromEntries(values), openai, audit }));
