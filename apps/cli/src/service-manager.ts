// systemd, where it has started this house: it is told when the house is ready (sd_notify(3)). Node has no datagram sockets
// in the file system, so systemd's own program speaks for it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { reasonOf } from '@majordomus/runtime';
import { note } from './output.ts';

const notifyLimitMs = 5000;

/** Takes the service manager's socket out of the environment, which the parts and plugins inherit. */
export function serviceManager(env: NodeJS.ProcessEnv = process.env): { readonly tellReady: () => Promise<void> } {
  const socket = env['NOTIFY_SOCKET'];
  delete env['NOTIFY_SOCKET'];
  return {
    tellReady: async () => {
      if (socket === undefined) return;
      try {
        await promisify(execFile)('systemd-notify', ['--ready'], { env: { ...env, NOTIFY_SOCKET: socket }, timeout: notifyLimitMs });
      } catch (error) {
        note(`systemd cannot be told that the house is ready: ${reasonOf(error).trim().split('\n').at(-1)}; with Type=exec in the unit it does not wait for that`);
      }
    },
  };
}
