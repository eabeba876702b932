import { isJsonObject, type Json } from '../../../core/index.ts';
import { parseBoundedJson } from '../bounded-json.ts';
import type { DemoCall } from './demo-rules.ts';

/** A tool call of the answer before, with what came of it. */
export interface DemoResult {
  readonly name: string;
  readonly arguments: Json;
  readonly text: string;
}

const ABILITIES = `I can:
- list files: "list" or "list notes"
- read files: "read notes/todo.md" or "read a.md and b.md"
- write a file: "write notes/todo.md: buy milk"
- remember something: "remember I take tea without sugar"
- show what is remembered: "what's in my memory?"
- propose a script: "write a script hello"
- run a script that you approved: "run hello"`;

const SHOWN = 1_500;

export function greeting(name: string | undefined): string {
  const who = name === undefined ? 'I am the demo' : `I am ${name}, played by the demo`;
  return `Hello. ${who}: a few fixed rules, not an AI. Say "help" to see what I understand.`;
}

export function help(): string {
  return `I am a demo, not an AI: I follow a few fixed rules so that you can try OpenPact without a key.\n\n${ABILITIES}\n\nTo talk to a real model, add a provider on the Models page.`;
}

export function unknown(): string {
  return `I am a demo, not an AI, and did not understand that.\n\n${ABILITIES}\n\nFor anything else, add a provider on the Models page.`;
}

export function missingTool(name: string): string {
  return `For that I would need the tool ${name}, which this turn does not offer.`;
}

/** What is said before a call: the person reads it on the approval card. */
export function announcement(calls: readonly DemoCall[]): string {
  return calls.map((call) => `I will ${plan(call)}.`).join(' ');
}

function plan({ name, arguments: args }: DemoCall): string {
  switch (name) {
    case 'workspace_list':
      return args['path'] === undefined ? 'list the workspace' : `list ${String(args['path'])}`;
    case 'workspace_read':
      return `read ${String(args['path'])}`;
    case 'workspace_write':
      return `write ${String(args['path'])}`;
    case 'script_write':
      return `propose the script ${String(args['name'])}`;
    case 'script_run':
      return `run the script ${String(args['name'])}`;
    case 'memory_read':
      return 'look into the memory';
    default:
      return 'add this to the memory';
  }
}

export function summary(results: readonly DemoResult[]): string {
  return results.map((result) => told(result)).join('\n\n');
}

function told({ name, arguments: args, text }: DemoResult): string {
  const parsed = parseBoundedJson(text, 32);
  // A tool that did its work answers with an object; what was denied or went wrong comes as a sentence.
  if (!parsed.ok || !isJsonObject(parsed.value))
    return `${attempted(name, args)} did not happen: ${text.trim()}`;
  const result = parsed.value;
  switch (name) {
    case 'workspace_list':
      return listing(result);
    case 'workspace_read':
      return quotation(plain(result['path']), result['content']);
    case 'workspace_write':
      return `Written: ${plain(result['path'])} (${plain(result['bytes'])} bytes).`;
    case 'memory_read':
      return result['content'] === ''
        ? 'The memory is empty so far.'
        : quotation(`The memory (${plain(result['file'])})`, result['content']);
    case 'script_write':
      return proposed(plain(isJsonObject(args) ? args['name'] : null), result);
    case 'script_run':
      return ran(plain(isJsonObject(args) ? args['name'] : null), result);
    case 'memory_write':
      return `Remembered, in ${plain(result['file'])}.`;
    default:
      return `${name} answered: ${cut(text)}`;
  }
}

type Result = { readonly [key: string]: Json };

function proposed(name: string, result: Result): string {
  if (result['saved'] === false) return `The script ${name} was not saved: ${plain(result['message'])}`;
  return result['approval_status'] === 'approved'
    ? `That very text of ${name} is approved already. Say "run ${name}".`
    : `Proposed: the script ${name}. It waits for you on the page Approvals. Once you have approved it, say "run ${name}".`;
}

function ran(name: string, result: Result): string {
  const { error, value } = result;
  if (typeof error === 'string') return `${name} did not run: ${plain(result['message'])}`;
  if (isJsonObject(error ?? null)) return `${name} failed: ${plain((error as Result)['message'])}`;
  return `${name} ran and gave back:\n\n${fenced(plain(value))}`;
}

function attempted(name: string, args: Json): string {
  const target = isJsonObject(args) ? (args['path'] ?? args['file']) : undefined;
  return typeof target === 'string' ? `${name} of ${target}` : name;
}

function listing(result: { readonly [key: string]: Json }): string {
  const where =
    typeof result['path'] === 'string' && result['path'] !== '' ? result['path'] : 'The workspace';
  const entries = Array.isArray(result['entries']) ? (result['entries'] as readonly Json[]) : [];
  if (entries.length === 0) return `${where} is empty.`;
  const names = entries.flatMap((entry) =>
    isJsonObject(entry) ? [`- ${plain(entry['name'])}${entry['kind'] === 'directory' ? '/' : ''}`] : [],
  );
  const more = result['truncated'] === true ? '\nThere is more; the list was cut.' : '';
  return `${where} holds ${entries.length === 1 ? 'one entry' : `${entries.length} entries`}:\n${cut(names.join('\n'))}${more}`;
}

function quotation(what: string, content: Json | undefined): string {
  const text = plain(content);
  if (text.trim() === '') return `${what} is empty.`;
  return `${what} says:\n\n${fenced(text)}`;
}

/** A fence longer than any inside keeps the text from ending the block. */
function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map((run) => run.length + 1)));
  return `${fence}\n${cut(text.trimEnd())}\n${fence}`;
}

function plain(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function cut(text: string): string {
  return text.length > SHOWN
    ? `${text.slice(0, SHOWN).toWellFormed()}\n… (${text.length - SHOWN} more characters)`
    : text;
}
