import type { Key } from '../src/config/keys.ts';
import type { SecretVariable } from '../src/config/secrets.ts';

/** What a setting does to the safety of the whole, for docs/configuration.md. A key without a sentence does not compile. */
export const KEY_EFFECTS: Readonly<Record<Key, string>> = {
  'workspace.path':
    'Everything lies here, the master key and the conversations too. The folder `secure/` in it is kept at mode 700.',
  'admin.bind':
    'Beyond this machine anybody who reaches the port can try to log in, and there is no TLS: keep 127.0.0.1, or put a proxy in front.',
  'admin.trusted_proxies':
    'Who is listed can claim any client address, and with it passes `admin.allowed_ips` and the limits on logins. List your own proxies only.',
  'admin.allowed_origins':
    'A page of a listed origin can use your session. List nothing but the name of this page.',
  'admin.allowed_ips': 'Others are refused before anything else. Empty: nobody is refused by address.',
  'admin.insecure_http':
    'With allowed, passwords and tokens can be read on the way by whoever carries the traffic.',
  'admin.jwt.access_expiry': 'A stolen access token works so long, unless the session is ended.',
  'admin.jwt.refresh_expiry': 'A stolen browser session works so long, unless it is ended.',
  'admin.step_up':
    'On: a stolen session alone can not approve. Policy and budgets ask for the password in any case.',
  'logging.level': 'None. Neither secrets nor message texts are logged at any level.',
  'logging.json': 'None.',
  'context.ai_may_edit_identity':
    'On: what the assistant reads can talk it into asking for another identity. You see each request and decide.',
  'approvals.expire_after': 'A longer time leaves more old requests that can still be approved.',
  'engine.max_turns_at_once': 'More turns use more memory and spend faster.',
  'engine.max_steps': 'How long a model that runs away goes on, at most, beside the budgets.',
  'engine.turn_timeout': 'How long a model that runs away goes on, at most.',
  'engine.provider': 'That provider gets the conversations.',
  'engine.model': 'Names of models that search the web by themselves are refused on the page, not here.',
  'budget.per_turn_tokens': 'Limits what one message can cost.',
  'budget.per_turn_usd': 'Limits what one message can cost.',
  'budget.per_conversation_tokens': 'Limits what one conversation can cost.',
  'budget.per_conversation_usd': 'Limits what one conversation can cost.',
  'budget.per_day_tokens': 'Limits what a day can cost.',
  'budget.per_day_usd': 'Limits what a day can cost.',
  'budget.max_output_tokens':
    'Too small a number cuts answers off; it never lets more be spent than the budgets.',
  'budget.fallback_input_usd': 'With 0 a model without a known price is limited by tokens only.',
  'budget.fallback_output_usd': 'With 0 a model without a known price is limited by tokens only.',
  'llm.ollama_host': 'Who listens there gets the conversations that use Ollama.',
  'llm.openai_compatible_base_url':
    'Who listens there gets the key and the conversations that use it. The page can not change it while the key comes from the environment.',
  'llm.azure_openai_base_url':
    'Who listens there gets the key and the conversations that use it. The page can not change it while the key comes from the environment.',
  'starlark.on_change':
    'With keep a script that somebody overwrote goes on running as you approved it; with block it stops until you decide.',
  'starlark.exec_mode':
    'Such code has no secrets and reaches no host in any mode; it can use the processor up to the limits.',
  'starlark.exec_per_hour':
    'How much of the processor such code can use in an hour: so many times starlark.max_execution_ms.',
  'starlark.max_pending': 'How much a model that runs away can leave behind for you to read.',
  'starlark.max_execution_ms': 'How long one run can use the processor.',
  'starlark.max_memory_mb': 'How much memory one run can use.',
  'starlark.approval.auto_approve':
    'Each digest is an approval without a person: that very text runs with the secrets and hosts of its header, whoever brings it.',
  'security.min_isolation':
    'With 0 it starts without fences where the machine has none, and says so. With 2 it does not start there.',
  'secrets.hide_old_for':
    'How long a value goes on being hidden after it was replaced or deleted, over restarts too. Longer costs memory.',
  'security.allow_unsandboxed':
    'On: scripts run also where nothing fences their process in; one that breaks out of it has your rights there.',
  'server.health_addr':
    'Who reaches that address sees whether OpenPact is well, without a login. Keep it on 127.0.0.1 or a network of your own.',
  'server.rate_limit.rate':
    'A higher rate makes guessing through the API faster; logins have their own limit.',
  'server.rate_limit.burst': 'As the rate.',
};

export const SECRET_EFFECTS: Readonly<Record<SecretVariable, string>> = {
  OPENAI_API_KEY: 'Sent to api.openai.com alone, whatever address the page names.',
  ANTHROPIC_API_KEY: 'Sent to api.anthropic.com alone.',
  GOOGLE_API_KEY: 'Sent to generativelanguage.googleapis.com alone.',
  AZURE_OPENAI_API_KEY: 'Sent to `llm.azure_openai_base_url` alone.',
  OPENROUTER_API_KEY: 'Sent to openrouter.ai alone.',
  OPENAI_COMPATIBLE_API_KEY: 'Sent to `llm.openai_compatible_base_url` alone.',
  ADMIN_JWT_SECRET: 'Who knows it can make access tokens. A new one ends the access tokens of now.',
  OPENPACT_MASTER_KEY:
    'Who has it and the database can read the stored keys and forge the audit log. Without it they can not be opened. Its file is refused where others than its owner can read it.',
};
