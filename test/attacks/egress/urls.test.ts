import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import { createEgressGuard, EgressError } from '../../../src/host/net/egress/index.ts';
import { HARMLESS } from './harmless-urls.ts';
import { HOSTILE, NAMES } from './hostile-urls.ts';

const guard = createEgressGuard({
  clock: systemClock,
  resolve: async (host) => NAMES[host] ?? ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'],
});

async function verdict(url: string): Promise<string> {
  try {
    const { addresses } = await guard.judge(url);
    return addresses.length > 0 ? 'admitted' : 'nothing';
  } catch (error) {
    if (error instanceof EgressError) return error.code;
    throw error;
  }
}

describe('spellings of URLs', () => {
  it('that must not be requested are each refused with their code', async () => {
    const wrong: string[] = [];
    for (const [code, url] of HOSTILE) {
      const got = await verdict(url);
      if (got !== code) wrong.push(`${JSON.stringify(url).slice(0, 80)}: ${got} instead of ${code}`);
    }
    expect(wrong).toEqual([]);
    expect(new Set(HOSTILE.map(([, url]) => url)).size).toBeGreaterThanOrEqual(150);
  });

  it('that are harmless pass', async () => {
    const wrong: string[] = [];
    for (const url of HARMLESS) {
      const got = await verdict(url);
      if (got !== 'admitted') wrong.push(`${url.slice(0, 80)}: ${got}`);
    }
    expect(wrong).toEqual([]);
    expect(new Set(HARMLESS).size).toBeGreaterThanOrEqual(150);
  });
});
