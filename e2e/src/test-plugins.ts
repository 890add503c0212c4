// Plugins for the tests, written into folders: by the kit, or as any other program.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManifestSource } from '@majordomus/contracts';
import type { Home } from './home.ts';

export type ManifestPart = Partial<ManifestSource>;

export interface KitPlugin extends ManifestPart {
  /** What `definePlugin` is given beside the manifest, as source: `{ helpers: { … } }`. */
  readonly definition?: string;
  /** Source before it. */
  readonly before?: string;
}

/** Writes a plugin that Node runs with the kit; gives its folder. A second time it is changed. */
export function writeKitPlugin(home: Home, name: string, { definition = '{ helpers: {} }', before = '', ...manifest }: KitPlugin = {}): string {
  return writePlugin(home, name, { main: 'main.mjs', ...manifest }, {
    'main.mjs': `import { setTimeout as delay } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { definePlugin, runPlugin } from '@majordomus/plugin';
import manifest from './plugin.json' with { type: 'json' };
${before}
void delay, writeFileSync;
await runPlugin(definePlugin(manifest, ${definition}));
`,
  });
}

/** Writes a plugin that is a shell script, which knows nothing of the house. */
export function writeShellPlugin(home: Home, name: string, script: string, manifest: ManifestPart = {}): string {
  return writePlugin(home, name, { exec: ['./run.sh'], ...manifest }, { 'run.sh': `#!/bin/sh\n${script}\n` });
}

/** Writes a plugin folder with its manifest and files. */
export function writePlugin(home: Home, name: string, manifest: ManifestPart & Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>> = {}): string {
  const folder = home.newFolder(join('sources', name));
  const whole = { name, version: '1.0.0', description: `The test plugin ${name}`, engine: '^0.1.0', ...manifest };
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify(whole, null, 2));
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(folder, file), content);
    if (file.endsWith('.sh')) chmodSync(join(folder, file), 0o755);
  }
  return folder;
}

/** A command without parameters for a manifest. */
export const command = { description: 'A command of a test' } as const;
