import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { homePaths } from '@majordomus/runtime';
import { temporaryFolder } from '../test/temporary-folder.ts';
import { openConnection } from './connection.ts';

const writeLoad = fileURLToPath(new URL('../test/write-load.ts', import.meta.url));

/** Lets the writers of a home run until `enough` writes were acknowledged, kills them, and gives all that they acknowledged. */
async function killedWriters(home: string, enough: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [writeLoad, home], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const closed = once(child, 'close');
  let told = '';
  let lines = 0;
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    told += text;
    lines += text.split('\n').length - 1;
    if (lines >= enough) child.kill('SIGKILL');
  });
  const [, signal] = (await closed) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  const acknowledged = new Map<string, number>();
  for (const line of told.split('\n').slice(0, -1)) {
    const [writer = '', number = ''] = line.split(' ');
    acknowledged.set(`writer${writer}`, Number(number));
  }
  return acknowledged;
}

describe('a kill -9 under write load', () => {
  it('loses no acknowledged write and leaves none half, five times on one home', async () => {
    using folder = temporaryFolder();
    const acknowledged = new Map<string, number>();
    for (const enough of [1, 100, 500, 1500, 3000]) {
      for (const [writer, number] of await killedWriters(folder.path, enough)) acknowledged.set(writer, number);
      const connection = openConnection(homePaths(folder.path).database);
      const read = connection.prepare<[string, string], string>('SELECT value FROM config WHERE plugin = ? AND key = ?').pluck();
      for (const [writer, number] of acknowledged) {
        const stored = Number(read.get(writer, 'number'));
        // The one write that was under way may be there or not.
        expect([number, number + 1]).toContain(stored);
        expect(Number(read.get(writer, 'same'))).toBe(stored);
      }
      connection.close();
    }
    expect(Math.max(...acknowledged.values())).toBeGreaterThan(50);
  });
});
