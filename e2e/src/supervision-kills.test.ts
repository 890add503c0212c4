// kill -9 of the manager, of `up`, and of both at once: what they have started ends within 2 s, whatever it does at that moment,
// and after the restart nothing runs twice and nothing is missing (docs/architecture.md, "Supervision").
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helperDo } from '@majordomus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from './home.ts';
import type { House } from './house.ts';
import { isRunning, killHard } from './processes.ts';
import { command, writeKitPlugin } from './test-plugins.ts';
import { until, untilTrue } from './waiting.ts';

const goneLimitMs = 2000;
const names = ['free', 'blocked', 'stopped'] as const;

/** What an instance of a plugin writes of itself when it starts: a line of JSON. */
interface Instance {
  readonly pid: number;
  /** A process that it started in a session of its own. */
  readonly grandchild: number;
  /** Earlier instances, and theirs, that still run as it starts. */
  readonly overlaps: readonly number[];
}

/** Writes a line before it does anything else, and lets a process go that knows nothing of the house. */
const witness = `
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
const file = new URL(manifest.name + '.instances', 'file://' + process.env.DOMUS_HOME + '/../').pathname;
const runs = (pid) => {
  try {
    const stat = readFileSync('/proc/' + pid + '/stat', 'latin1');
    return !'ZX'.includes(stat.at(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
};
const earlier = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\\n').map((line) => JSON.parse(line)) : [];
const overlaps = earlier.flatMap(({ pid, grandchild }) => [pid, grandchild]).filter(runs);
const { pid: grandchild } = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
appendFileSync(file, JSON.stringify({ pid: process.pid, grandchild, overlaps }) + '\\n');
`;

describe('a house with plugins that are free, blocked and stopped', () => {
  const home = new Home();
  let house: House;
  beforeAll(async () => {
    // It starts none by itself; what was started by hand is brought back all the same.
    house = await home.up();
    await Promise.all(names.map(async (name) => {
      await home.tell('plugin', 'install', writeKitPlugin(home, name, { commands: { block: command }, before: witness, definition: '{ helpers: { block: () => { for (;;); } } }' }));
    }));
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const instances = (name: string): readonly Instance[] => {
    const file = join(home.root, `${name}.instances`);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Instance) : [];
  };

  it.each([
    ['manager', ['manager'], false],
    ['up', ['up'], true],
    ['up and the manager', ['up', 'manager'], true],
  ] as const)('whose %s is killed with -9 leaves nothing of them behind, and has each plugin once afterwards', async (_what, victims, isRestarted) => {
    void house.client.call(helperDo, { command: 'block' }, { service: house.service('blocked'), timeoutMs: 300 }).catch(() => {});
    process.kill(await house.pluginPid('stopped'), 'SIGSTOP');
    const starts = instances(names[0]).length;
    const before = names.flatMap((name) => instances(name).slice(-1)).flatMap(({ pid, grandchild }) => [pid, grandchild]);
    expect(before.filter(isRunning)).toHaveLength(2 * names.length);
    const pids = { up: house.up.pid, manager: await house.partPid('manager') };

    const killedMs = performance.now();
    for (const victim of victims) killHard(pids[victim]);
    await untilTrue('the plugins and what they started have ended', () => !before.some(isRunning), { limitMs: goneLimitMs, describe: () => before.filter(isRunning) });
    console.info(`all gone ${Math.round(performance.now() - killedMs)} ms after the kill of ${victims.join(' and ')}`);

    if (isRestarted) {
      await home.assertNothingLeft(goneLimitMs);
      house = await home.up({ plugins: true });
    }
    await house.untilWhole({ without: [pids.manager] });
    for (const name of names) {
      const all = instances(name);
      expect(all).toHaveLength(starts + 1);
      expect(all.flatMap(({ overlaps }) => overlaps)).toEqual([]);
      expect(await house.pluginPid(name)).toBe(all.at(-1)?.pid);
    }
  });

  it('tells what each of its parts holds in memory, the manager without its plugins', async () => {
    const { parts, plugins } = await until('all are looked at', async () => {
      const all = { parts: await house.parts(), plugins: (await house.plugins()).filter(({ pid }) => pid !== null) };
      return [...all.parts, ...all.plugins].every(({ memoryMb }) => memoryMb !== null) ? all : undefined;
    });
    expect(plugins.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]));
    const used = (all: readonly { readonly memoryMb: number | null }[]): number => all.reduce((sum, { memoryMb }) => sum + (memoryMb ?? 0), 0);
    for (const { memoryMb, memoryLimitMb } of parts) {
      expect(memoryMb).toBeGreaterThan(20);
      expect(memoryLimitMb).toBeNull();
    }
    expect(used(parts.filter(({ name }) => name === 'manager'))).toBeLessThan(used(plugins));
  });

  it('keeps what it saw in a log of its own, for who was not at its terminal', async () => {
    const killed = await house.kill('dbmanager');
    await house.untilWhole({ without: [killed] });
    await untilTrue('it is told', async () => {
      const shown = await home.tell('logs', 'house');
      return /WARN: dbmanager ended, and starts again soon: killed by SIGKILL/.test(shown) && /INFO: dbmanager is running/.test(shown.slice(shown.indexOf('killed by SIGKILL')));
    });
    expect((await home.run('plugin', 'log', 'house')).stderr).toMatch(/^PLUGIN_NOT_FOUND/);
    await house.stop();
    expect(await home.tell('logs', 'house')).toMatch(/INFO: the house is stopped/);
  });
});
