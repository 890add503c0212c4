// The same house on libzmq, which DOMUS_TRANSPORT asks for (docs/architecture.md, "Machines and pumps").
import { readFileSync } from 'node:fs';
import { helperDo } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';

/** Whether a process has loaded the native module of libzmq. */
function hasLibzmq(pid: number): boolean {
  return /zeromq.*\.node/.test(readFileSync(`/proc/${pid}/maps`, 'utf8'));
}

describe('DOMUS_TRANSPORT', () => {
  const home = new Home();
  const other = new Home();
  const env = (transport: string): Record<string, string> => ({ DOMUS_HOME: home.folder, DOMUS_TRANSPORT: transport });
  let house: House;
  beforeAll(async () => {
    house = await home.up({ plugins: true, env: env('zeromq') });
  });
  afterAll(async () => {
    await home[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it.runIf(process.platform === 'linux')('zeromq runs every part and plugin on libzmq, and a client of the other transport is served', async () => {
    for (const pid of Object.values(await house.pids())) expect(hasLibzmq(pid ?? 0)).toBe(true);
    expect(hasLibzmq(process.pid)).toBe(false);
    const { result } = await house.client.call(helperDo, { command: 'list', parameters: {} }, { service: house.service('diskfree') });
    expect(result).toBeTruthy();
    expect((await home.runWith({ env: env('zeromq') }, 'config', 'get', 'diskfree', 'limit')).stdout).toBe('90\n');
  });

  it.runIf(process.platform === 'linux')('without it nothing loads the native module', async () => {
    const plain = await other.up({ plugins: true });
    for (const pid of Object.values(await plain.pids())) expect(hasLibzmq(pid ?? 0)).toBe(false);
  });

  it('that is none is refused in one line', async () => {
    expect(await home.runWith({ env: env('zmpt') }, 'status')).toMatchObject({ code: 1, stderr: 'TRANSPORT_UNKNOWN: DOMUS_TRANSPORT is "zmpt"; it must be zmtp or zeromq\n' });
  });
});
