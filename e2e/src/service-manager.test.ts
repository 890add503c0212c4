// A house that systemd has started (docs/operating.md, "As a service"): it says when it is ready, as sd_notify(3) has it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProgram } from './domus.ts';
import { Home } from './home.ts';
import { partNames } from './house.ts';
import { untilTrue } from './waiting.ts';

const programs = [['python3', '--version'], ['systemd-notify', '--version']] as const;
const hasPrograms = process.env['CI'] === 'true' || programs.every(([program, flag]) => spawnSync(program, [flag]).status === 0);

/** What the service manager's end of the socket does: Node has none of this kind. */
const listen = `
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\\0" + sys.argv[1])
print("listening", flush=True)
while True:
    print(manager.recv(4096).decode(), flush=True)
`;

it.skipIf(!hasPrograms)('tells the service manager that it is ready, and its parts nothing of it (skipped where systemd-notify or python3 is not there)', async () => {
  await using home = new Home();
  // Of the kind that is no file; systemd writes its first byte, 0, as @.
  const socket = `majordomus-test-${process.pid}`;
  const manager = startProgram('python3', ['-c', listen, socket]);
  try {
    await untilTrue('the manager listens', () => manager.stdout().includes('listening'));
    await using house = await home.up({ env: { DOMUS_HOME: home.folder, NOTIFY_SOCKET: `@${socket}` } });
    await untilTrue('the house has said that it is ready', () => manager.stdout().includes('READY=1'), { describe: () => house.output });
    for (const part of partNames) expect(readFileSync(`/proc/${await house.partPid(part)}/environ`, 'utf8')).not.toContain('NOTIFY_SOCKET');
  } finally {
    manager.child.kill('SIGKILL');
    await manager.ended;
  }
});

it('runs all the same where the service manager cannot be told, and says so', async () => {
  await using home = new Home();
  await using house = await home.up({ env: { DOMUS_HOME: home.folder, NOTIFY_SOCKET: join(home.root, 'nobody') } });
  await untilTrue('it is told', () => /systemd cannot be told that the house is ready: .+; with Type=exec in the unit/.test(house.output), { describe: () => house.output });
  await house.untilWhole();
});
