// A part of the house for the tests: it does what its flag --behaviour says.
import { z } from 'zod';
import { commonSettings, parseFlags, readSettings, runPart, StartError, untilAborted, type PartContext } from '../src/index.ts';

export const behaviours = ['orderly', 'waiting', 'talkative', 'stubborn', 'finished', 'refused', 'broken'] as const;
export type Behaviour = (typeof behaviours)[number];

const settings = {
  ...commonSettings,
  behaviour: { name: 'behaviour', description: 'what it does', schema: z.enum(behaviours), fallback: 'orderly' },
} as const;

async function behave(behaviour: Behaviour, { signal, log, ready, notReady }: PartContext): Promise<void> {
  // What a socket would do: it keeps the process running.
  using _held = keepRunning();
  switch (behaviour) {
    case 'orderly':
      ready({ address: 'tcp://127.0.0.1:1' });
      await untilAborted(signal);
      log.info('put everything away');
      return;
    case 'waiting':
      notReady('no device answers');
      await untilAborted(signal);
      return;
    case 'talkative':
      // Far more than a pipe holds.
      for (let device = 0; device < 10_000; device += 1) notReady(`device ${device} does not answer`);
      ready();
      log.info('told everything');
      await untilAborted(signal);
      return;
    case 'stubborn':
      ready();
      await new Promise(() => {});
      return;
    case 'finished':
      return;
    case 'refused':
      throw new StartError('ADDRESS_IN_USE', 'tcp://127.0.0.1:1 is in use; choose another with --bind');
    case 'broken':
      throw new TypeError('nobody thought of this');
    default:
      behaviour satisfies never;
  }
}

function keepRunning(): Disposable {
  const timer = setInterval(() => {}, 1_000_000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

await runPart({
  name: 'tester',
  readSettings: (args, env) => readSettings(settings, { flags: parseFlags(settings, args), env }),
  start: ({ behaviour }, context) => behave(behaviour, context),
});
