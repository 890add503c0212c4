// What a person meets who mistypes: one line, and no measurement.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

it.each<[args: string[], line: RegExp]>([
  [['nothing'], /^bench: there is no benchmark nothing; there are broker, .*; see: pnpm bench --help\n$/],
  [['--rounds', '0'], /^bench: --rounds is a whole number above 0; see: pnpm bench --help\n$/],
  [['--round', '1'], /^bench: Unknown option '--round'.*; see: pnpm bench --help\n$/],
])('%j is refused in one line', (args, line) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(line);
});
