// What a supervised process says of itself: JSON lines on file descriptor 3 (docs/architecture.md, "Supervision").
// Neither readiness nor liveness depends on the broker.
import { writeSync } from 'node:fs';

/** One line on the pipe. `ready` may carry facts, such as the address that was bound. */
export type ReadinessMessage =
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly facts?: Readonly<Record<string, string>> }
  | { readonly state: 'not-ready'; readonly reason: string }
  | { readonly state: 'alive' };

/** The variable that tells a process that the pipe is there, and on which descriptor. */
export const readinessVariable = 'DOMUS_READY_FD';
export const readinessFd = 3;
export const aliveIntervalMs = 1000;

export interface Readiness extends Disposable {
  ready(facts?: Readonly<Record<string, string>>): void;
  notReady(reason: string): void;
}

/** Opens the pipe if a supervisor gave one, and says `alive` each second; without one it does nothing. */
export function openReadiness(env: { readonly [name: string]: string | undefined } = process.env): Readiness {
  const fd = Number(env[readinessVariable]);
  if (!Number.isInteger(fd) || fd < 3) return { ready() {}, notReady() {}, [Symbol.dispose]() {} };
  let closed = false;
  const say = (message: ReadinessMessage): void => {
    if (closed) return;
    try {
      writeSync(fd, `${JSON.stringify(message)}\n`);
    } catch (error) {
      // A full pipe means a supervisor that does not read: the next line says the same. Anything else: nobody is there.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) closed = true;
    }
  };
  say({ state: 'starting' });
  const alive = setInterval(() => say({ state: 'alive' }), aliveIntervalMs).unref();
  return {
    ready: (facts) => say(facts === undefined ? { state: 'ready' } : { state: 'ready', facts }),
    notReady: (reason) => say({ state: 'not-ready', reason }),
    [Symbol.dispose]() {
      closed = true;
      clearInterval(alive);
    },
  };
}
