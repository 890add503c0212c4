// What a supervised process says of itself: JSON lines on file descriptor 3 (docs/architecture.md, "Supervision").
// Neither readiness nor liveness depends on the broker.
import { Socket } from 'node:net';

/** One line on the pipe. `ready` may carry facts, such as the address that was bound. */
export type ReadinessMessage =
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly facts?: Readonly<Record<string, string>> }
  | { readonly state: 'not-ready'; readonly reason: string }
  | { readonly state: 'alive' };

/** The variable that tells a process that the pipe is there, and on which descriptor. */
export const readinessVariable = 'DOMUS_READY_FD';
export const readinessFd = 3;
const aliveIntervalMs = 1000;

export interface Readiness extends Disposable {
  ready(facts?: Readonly<Record<string, string>>): void;
  notReady(reason: string): void;
}

/**
 * Opens the pipe if a supervisor gave one, and says `alive` each second; without one it does nothing. A supervisor that
 * does not read never holds the process up.
 */
export function openReadiness(env: { readonly [name: string]: string | undefined } = process.env): Readiness {
  const pipe = openPipe(Number(env[readinessVariable]));
  if (pipe === undefined) return { ready() {}, notReady() {}, [Symbol.dispose]() {} };
  const say = (message: ReadinessMessage): void => {
    if (pipe.writable) pipe.write(`${JSON.stringify(message)}\n`);
  };
  say({ state: 'starting' });
  const alive = setInterval(() => {
    // What is still unread says as much, and a line a second for a supervisor that sleeps would add up.
    if (pipe.writableLength === 0) say({ state: 'alive' });
  }, aliveIntervalMs).unref();
  return {
    ready: (facts) => say(facts === undefined ? { state: 'ready' } : { state: 'ready', facts }),
    notReady: (reason) => say({ state: 'not-ready', reason }),
    [Symbol.dispose]() {
      clearInterval(alive);
      pipe.destroy();
    },
  };
}

/** The pipe, or undefined if there is none. A socket, because a write to a full pipe would block the whole process. */
function openPipe(fd: number): Socket | undefined {
  if (!Number.isInteger(fd) || fd < 3) return undefined;
  try {
    // An error means that nobody is there any more; it destroys the socket, and that is all there is to do.
    return new Socket({ fd, readable: false, writable: true }).on('error', () => {}).unref();
  } catch {
    return undefined;
  }
}
