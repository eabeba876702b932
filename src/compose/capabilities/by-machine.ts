import type { Capability, UpstreamView } from '../../edge/admin/api.ts';
import { ATTACKS } from './attacks.ts';
import { CONNECTIONS, OTHERS, OUTSIDE, PROGRAMS, SECRETS, type Fences } from './fences.ts';

/** What the processes of the assistant are kept from, by what was tried at the start. */
export function capabilitiesByMachine(fences: Fences): readonly Capability[] {
  const never = (
    part: Pick<Capability, 'id' | 'group' | 'sentence' | 'tests'> & {
      readonly fence: Capability['fences'][number];
      /** Controls of ours that stand whatever the kernel does; they bind the model, not a process that was taken over. */
      readonly also?: string;
    },
  ): Capability => ({
    id: part.id,
    group: part.group,
    answer: part.fence.holds ? 'never' : 'not_enforced',
    sentence: part.fence.holds
      ? part.sentence
      : `${part.sentence} That is how it is meant; on this machine nothing enforces it against a process that was taken over.`,
    fences: [...(part.also === undefined ? [] : [{ text: part.also, holds: true }]), part.fence],
    tests: part.tests,
  });
  return [
    never({
      id: 'files-outside',
      group: 'files',
      sentence:
        'It can never read or write a file outside ai-data/: not your documents, not the keys and the log in secure/.',
      also: 'No tool takes a path out of ai-data/.',
      fence: fences.tried('its processes files elsewhere', OUTSIDE),
      tests: [ATTACKS.outside, ATTACKS.takenOver],
    }),
    never({
      id: 'connections',
      group: 'network',
      sentence: 'Its own processes can never open a connection, to the internet or to this machine.',
      fence: fences.tried('them sockets', CONNECTIONS),
      tests: [ATTACKS.takenOver, ATTACKS.fence],
    }),
    never({
      id: 'programs',
      group: 'machine',
      sentence: 'Its process can never start a program: no shell, no browser, no copy of itself.',
      fence: fences.tried('it new processes', PROGRAMS),
      tests: [ATTACKS.takenOver, ATTACKS.fence],
    }),
    never({
      id: 'other-programs',
      group: 'machine',
      sentence: 'It can never look into other programs, change them or end them.',
      fence: fences.tried('it other processes', OTHERS),
      tests: [ATTACKS.fence],
    }),
    never({
      id: 'keys',
      group: 'machine',
      sentence: 'It can never hold your keys: they are added to its requests after these have left it.',
      also: 'Known secrets are replaced in everything that it is given.',
      fence: fences.tried("it the environment, the memory and the files of OpenPact's main process", SECRETS),
      tests: [ATTACKS.takenOver, ATTACKS.redaction],
    }),
    never({
      id: 'log',
      group: 'itself',
      sentence: 'It can never change or remove what stands in the activity log.',
      also: 'No tool writes the log, and every entry seals the one before it.',
      fence: fences.tried('its processes the file of the log', OUTSIDE),
      tests: [ATTACKS.audit, ATTACKS.takenOver],
    }),
  ];
}

/** Where messages go, by the providers that are switched on and can be used. */
export function capabilitiesByProvider(
  upstreams: readonly UpstreamView[],
  chosen: { readonly provider: string; readonly model: string },
  fallback: { readonly provider: string; readonly model: string } | null,
): readonly Capability[] {
  const usable = upstreams.filter(
    (one) => one.name !== 'demo' && one.enabled && (!one.needs_key || one.has_key) && addressOf(one) !== null,
  );
  const fences = [
    {
      text: 'The gateway sends only the conversation and its tools, to the address that is set, and refuses tools that a provider would run on its side.',
      holds: true,
    },
  ];
  if (usable.length === 0) {
    return [
      {
        id: 'provider-none',
        group: 'network',
        answer: 'never',
        sentence:
          'What you write and what it reads never goes to a model provider: none can be used now, and the demo is no AI.',
        fences: [{ text: 'The gateway knows no address to send to.', holds: true }],
        tests: [ATTACKS.gateway],
      },
    ];
  }
  return usable.map((one) => ({
    id: `provider-${one.name}`,
    group: 'network',
    answer: 'allowed',
    sentence: `What you write, what it reads and what its tools return may be sent to ${one.label} at ${addressOf(one)}${
      isHere(addressOf(one) ?? '') ? ', which is on this machine' : ''
    }.${one.name === chosen.provider ? ` New turns go there, to ${chosen.model}.` : ''}${
      one.name === fallback?.provider
        ? ` Turns whose model is unavailable go on there, with ${fallback.model}.`
        : ''
    }`,
    fences,
    tests: [ATTACKS.gateway],
  }));
}

function addressOf(one: UpstreamView): string | null {
  return one.base_url ?? one.default_base_url;
}

function isHere(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
