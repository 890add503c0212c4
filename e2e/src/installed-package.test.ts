// Majordomus without a checkout: the packed package, installed with npm into an empty folder (docs/operating.md).
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProgram } from './domus.ts';
import { Home } from './home.ts';
import { install, nodes, oldestNode, pack, succeeded, type Installation, type NodeAndNpm } from './package.ts';
import { writeKitPlugin } from './test-plugins.ts';

/** With an empty cache npm takes everything from the registry. */
const installLimitMs = 180_000;
/** It starts a house and a dozen commands, one after the other. */
const houseLimitMs = 120_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const hasNodes = process.platform === 'linux' && process.arch === 'x64';

/** The program of docs/operating.md, "Programs on top of it". */
const documented = /```ts\n(import \{[^`]* from 'majordomus\/contracts'[^]*?)```/.exec(readFileSync(join(root, 'docs', 'operating.md'), 'utf8'))?.[1] ?? '';
/** What the types let through and what not. */
const typed = `import type { CallError, Message } from 'majordomus/mq';
import type { Plugin } from 'majordomus/plugin';

export type Used = readonly [CallError, Message, Plugin];
const command: string = (await client.call(helperDo, { command: 'list', parameters: {} })).command;
// @ts-expect-error -- the reply is typed: it has no such field
console.log(command, (await client.call(helperDo, { command: 'list', parameters: {} })).nothing);
`;

describe.skipIf(!hasNodes)('the installed package (skipped where npm has no Node binaries of it: they are for Linux x64)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'majordomus-package-'));
  let archive = '';
  const installations = new Map<NodeAndNpm, Promise<Installation>>();
  const installedOn = (nodeAndNpm: NodeAndNpm): Promise<Installation> => {
    const there = installations.get(nodeAndNpm) ?? install(archive, join(folder, nodeAndNpm.name.replace(' ', '-')), nodeAndNpm);
    installations.set(nodeAndNpm, there);
    return there;
  };
  beforeAll(async () => {
    archive = await pack(folder);
  }, installLimitMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(nodes)('on $name', (nodeAndNpm) => {
    let installation: Installation;
    beforeAll(async () => {
      installation = await installedOn(nodeAndNpm);
    }, installLimitMs);

    it('starts a house, whose plugins are called and installed, and stops it', async () => {
      await using home = new Home(installation);
      await using house = await home.up({ plugins: true, args: ['--host', 'igor'] });
      expect(house.up.stdout()).toMatch(/ domus --home \S+ status$/m);

      const asked = JSON.parse(await home.tell('call', 'igor.diskfree', 'helper.do', '{"command": "check", "parameters": {"path": "/"}}')) as { readonly result: unknown };
      expect(asked.result).toMatchObject({ path: '/', mountPoint: '/', ok: expect.any(Boolean) });

      // Of the plugins that come along, one is in another language and imports nothing of the package.
      expect(await home.run('plugin', 'install', 'sysload', '--no-start')).toMatchObject({ code: 0 });
      const source = writeKitPlugin(home, 'greeter', { commands: { greet: { description: 'Greets' } }, definition: `{ helpers: { greet: () => 'hello' } }` });
      expect(await home.run('plugin', 'install', source)).toMatchObject({ code: 0 });
      expect(JSON.parse(await home.tell('call', 'igor.greeter', 'helper.do', '{"command": "greet"}'))).toMatchObject({ result: 'hello' });

      writeFileSync(join(installation.folder, 'client.ts'), documented.replace('tcp://127.0.0.1:40410', house.endpoint));
      const client = await startProgram(installation.node, ['client.ts'], { cwd: installation.folder }).ended;
      expect(client).toMatchObject({ stdout: expect.stringMatching(/^\{ path: '\/', mountPoint: '\/'/), stderr: '', code: 0 });

      expect(await house.stop()).toMatchObject({ code: 0 });
      expect(house.output).not.toMatch(/warning|error/i);
    }, houseLimitMs);

    it('needs no script of what it depends on, and says what version it is', async () => {
      // npm 10 runs the script of zeromq, which sees that its binary is there; npm 12 says that it did not.
      expect(installation.said).not.toMatch(/cmake|gyp|ERR/);
      await using home = new Home(installation);
      expect(await home.tell('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    });
  });

  describe('for a developer', () => {
    let installation: Installation;
    beforeAll(async () => {
      installation = await installedOn(oldestNode);
    }, installLimitMs);

    it('has types that hold without skipLibCheck', async () => {
      writeFileSync(join(installation.folder, 'client.ts'), documented + typed);
      const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, module: 'NodeNext', target: 'ES2024', lib: ['ES2024', 'ESNext.Disposable'], noEmit: true, types: [] };
      writeFileSync(join(installation.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['client.ts'] }));
      succeeded(await startProgram(tsc, ['-p', installation.folder]).ended);
    });

    it('makes a plugin in TypeScript that passes its own tests', async () => {
      await using home = new Home(installation);
      const plugin = join(home.root, 'kitchen');
      succeeded(await home.runWith({ cwd: home.root }, 'plugin', 'create', 'kitchen'));
      expect(succeeded(await startProgram(installation.node, ['--test'], { cwd: plugin, env: installation.env }).ended)).toMatch(/^# fail 0$/m);
      succeeded(await startProgram(tsc, ['-p', plugin]).ended);
    });

    it('prints a unit of systemd that runs this very package on this very Node', async () => {
      await using home = new Home(installation);
      const main = join(realpathSync(installation.folder), 'node_modules', 'majordomus', 'bin', 'domus.js');
      const { stdout, stderr } = await home.run('systemd', '--user');
      expect(stdout).toContain(`\nExecStart=${realpathSync(installation.node)} ${main} up --home ${home.folder}\n`);
      expect(stderr).toBe('');
      // The folder of this test is its owner's alone, as a home is.
      const system = await home.run('systemd', '--host', 'igor');
      expect(system.stdout).toContain(`${main} up --home ${home.folder} --host igor\n`);
      expect(system.stderr).toBe(`domus: the service would run as majordomus, which may not look into ${realpathSync(folder)}; install Node and Majordomus where every user can read them, or use --user\n`);
    });

    it('refuses a Node that is too old in one line', async () => {
      const old = join(folder, 'old.cjs');
      writeFileSync(old, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.17.1' } });`);
      const { code, stderr } = await startProgram(installation.node, ['--require', old, join(installation.folder, 'node_modules/majordomus/bin/domus.js'), 'status']).ended;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^domus: Majordomus needs Node 22\.18 or later, and this is v\S+ \(\S+\); install a later one and try again\n$/) });
    });
  });
});
