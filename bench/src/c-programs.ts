// The peers in C (bench/c) are compiled when they are needed: only who measures needs a compiler.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchFailure } from './failure.ts';

const names = ['load', 'echo', 'proxy', 'broker', 'crowd'] as const;

/** The path of each program. */
export type CPrograms = Readonly<Record<(typeof names)[number], string>>;

/**
 * @param folder where they are put
 * @throws BenchFailure COMPILER_MISSING, LIBRARY_MISSING, PROGRAM_FAILED
 */
export function compilePeers(folder: string): CPrograms {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(names.map((name) => [name, compile(name, folder)])) as Record<(typeof names)[number], string>;
}

function compile(name: string, folder: string): string {
  const source = fileURLToPath(new URL(`../c/${name}.c`, import.meta.url));
  const program = join(folder, name);
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, source, '-lzmq'], { encoding: 'utf8' });
  if (error !== undefined) throw new BenchFailure('COMPILER_MISSING', 'the peers are written in C, and there is no compiler cc; on Debian: apt-get install gcc libc6-dev libzmq3-dev', { cause: error });
  if (/zmq\.h|-lzmq/.test(stderr)) throw new BenchFailure('LIBRARY_MISSING', 'the peers use libzmq, and its header is not there; on Debian: apt-get install libzmq3-dev');
  if (status !== 0) throw new BenchFailure('PROGRAM_FAILED', `${source} cannot be compiled: ${stderr}`);
  return program;
}
