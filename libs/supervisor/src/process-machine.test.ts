import { describe, expect, it } from 'vitest';
import type { ProcessEffect, ProcessInput } from './process-input.ts';
import { machineDefaults, ProcessMachine, type MachineSettings } from './process-machine.ts';

/** A machine with a clock that is turned by hand. */
class Play {
  readonly machine: ProcessMachine;
  nowMs = 5000;

  constructor(settings: Partial<MachineSettings> = {}, asksRegistration = false) {
    this.machine = new ProcessMachine({ ...machineDefaults, jitter: 0, ...settings }, () => 0, { asksRegistration });
  }

  give(...inputs: readonly ProcessInput[]): ProcessEffect[] {
    return inputs.flatMap((input) => this.machine.handle(input, this.nowMs));
  }

  /** Lets time pass, with a tick at each deadline. */
  pass(ms: number): ProcessEffect[] {
    const untilMs = this.nowMs + ms;
    const effects: ProcessEffect[] = [];
    for (let due = this.machine.deadlineMs; due !== undefined && due <= untilMs; due = this.machine.deadlineMs) {
      this.nowMs = due;
      effects.push(...this.give({ type: 'tick' }));
    }
    this.nowMs = untilMs;
    return effects;
  }

  get state(): string {
    return this.machine.view.state;
  }

  get reason(): string {
    return this.machine.view.reason;
  }
}

const start: ProcessInput = { type: 'start' };
const stop: ProcessInput = { type: 'stop' };
const restart: ProcessInput = { type: 'restart' };
const spawned: ProcessInput = { type: 'spawned', pid: 77 };
const alive: ProcessInput = { type: 'alive' };
const ready: ProcessInput = { type: 'ready' };
const exit3: ProcessInput = { type: 'exited', code: 3, signal: null };

function running(settings: Partial<MachineSettings> = {}): Play {
  const play = new Play(settings);
  play.give(start, spawned, { type: 'starting' }, ready);
  expect(play.state).toBe('running');
  return play;
}

function failed(): Play {
  const play = new Play({ failureLimit: 1 });
  play.give(start, spawned, exit3);
  expect(play.state).toBe('failed');
  return play;
}

describe('from the start to running', () => {
  it('is stopped and waits for nothing before it is started', () => {
    const play = new Play();
    expect(play.machine.view).toEqual({ state: 'stopped', pid: null, restarts: 0, reason: '', lastError: '' });
    expect(play.machine.deadlineMs).toBeUndefined();
    expect(play.give(stop, { type: 'tick' }, alive, ready, exit3, { type: 'registered' }, { type: 'ask-failed' })).toEqual([]);
    expect(play.state).toBe('stopped');
  });

  it('is starting when it is spawned, and running when it says that it is ready', () => {
    const play = new Play();
    expect(play.give(start)).toEqual(['spawn']);
    expect(play.machine.view).toMatchObject({ state: 'starting', pid: null });
    play.give(spawned, { type: 'starting' });
    expect(play.machine.view).toMatchObject({ state: 'starting', pid: 77 });
    play.give({ type: 'ready', facts: { endpoint: 'tcp://127.0.0.1:1' } });
    expect(play.machine.view).toMatchObject({ state: 'running', pid: 77, reason: '' });
    expect(play.machine.facts).toEqual({ endpoint: 'tcp://127.0.0.1:1' });
  });

  it('does nothing when it is started twice', () => {
    expect(running().give(start)).toEqual([]);
  });

  it('is not ready, with its reason, when it says so, and running again when it says that', () => {
    const play = running();
    play.give({ type: 'not-ready', reason: 'no answer from the gateway' });
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason: 'no answer from the gateway', pid: 77 });
    play.give({ type: 'not-ready', reason: 'the gateway is busy' });
    expect(play.reason).toBe('the gateway is busy');
    play.give(ready);
    expect(play.machine.view).toMatchObject({ state: 'running', reason: '' });
  });

  it('is not ready, and not killed, when it has not said that it is ready within the bound', () => {
    const play = new Play();
    play.give(start, spawned);
    expect(play.pass(9999)).toEqual([]);
    expect(play.state).toBe('starting');
    expect(play.pass(1)).toEqual([]);
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason: 'has not said that it is ready', pid: 77 });
    expect(play.pass(3_600_000)).toEqual([]);
    play.give(ready);
    expect(play.state).toBe('running');
  });

  it('is not ready at the bound although it says that it is alive', () => {
    const play = new Play();
    play.give(start, spawned);
    for (let second = 0; second < 10; second += 1) {
      play.give(alive);
      play.pass(1000);
    }
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason: 'has not said that it is ready' });
  });
});

describe('a program that does not speak', () => {
  it('is asked for on the bus at each interval, and running when its service is there', () => {
    const play = new Play({ registrationIntervalMs: 500 }, true);
    play.give(start, spawned);
    expect(play.pass(1600)).toEqual(['ask-registration', 'ask-registration', 'ask-registration']);
    play.give({ type: 'registered' });
    expect(play.state).toBe('running');
    expect(play.machine.deadlineMs).toBeUndefined();
  });

  it('is asked for when it is late, too', () => {
    const play = new Play({ registrationIntervalMs: 500 }, true);
    play.give(start, spawned);
    play.pass(20_000);
    expect(play.state).toBe('not-ready');
    expect(play.pass(500)).toEqual(['ask-registration']);
    play.give({ type: 'registered' });
    expect(play.state).toBe('running');
  });

  it('is not asked for any more once it has spoken: then only its own word counts', () => {
    const play = new Play({ registrationIntervalMs: 500 }, true);
    play.give(start, spawned, { type: 'starting' });
    expect(play.pass(2000)).toEqual([]);
    play.give({ type: 'registered' });
    expect(play.state).toBe('starting');
  });

  it('is never taken as hung', () => {
    const play = new Play({}, true);
    play.give(start, spawned, { type: 'registered' });
    expect(play.pass(86_400_000)).toEqual([]);
    expect(play.state).toBe('running');
  });
});

describe('an end that nobody asked for', () => {
  it.each<[string, ProcessInput]>([
    ['exit code 3', exit3],
    ['exit code 0', { type: 'exited', code: 0, signal: null }],
    ['killed by SIGKILL', { type: 'exited', code: null, signal: 'SIGKILL' }],
  ])('%s is a failure, from starting, running and not-ready', (reason, end) => {
    for (const words of [[], [ready], [{ type: 'not-ready', reason: 'waits' }]] satisfies ProcessInput[][]) {
      const play = new Play();
      play.give(start, spawned, ...words);
      expect(play.give(end)).toEqual([]);
      expect(play.machine.view).toEqual({ state: 'backoff', pid: null, restarts: 0, reason, lastError: reason });
    }
  });

  it('of the spawn itself is the same failure', () => {
    const play = new Play();
    play.give(start, { type: 'spawn-failed', reason: 'ENOENT: there is no program "x"' });
    expect(play.machine.view).toMatchObject({ state: 'backoff', reason: 'could not be spawned: ENOENT: there is no program "x"' });
  });

  it('is followed by a new try after the pause, which is counted', () => {
    const play = running({ firstBackoffMs: 250 });
    play.give(exit3);
    expect(play.pass(249)).toEqual([]);
    expect(play.pass(1)).toEqual(['spawn']);
    expect(play.machine.view).toEqual({ state: 'starting', pid: null, restarts: 1, reason: '', lastError: 'exit code 3' });
    play.give({ type: 'spawned', pid: 78 }, ready);
    expect(play.machine.view).toMatchObject({ state: 'running', pid: 78, restarts: 1, lastError: 'exit code 3' });
  });

  it('forgets the facts of the process that ended', () => {
    const play = new Play();
    play.give(start, spawned, { type: 'ready', facts: { port: '1' } }, exit3);
    expect(play.machine.facts).toEqual({});
  });

  it('that comes too often makes it failed, with the reason, and it is tried again slowly for ever', () => {
    const play = new Play({ failureLimit: 3, firstBackoffMs: 100, slowRetryMs: 60_000 });
    play.give(start);
    for (let failure = 1; failure < 3; failure += 1) {
      play.give(spawned, exit3);
      expect(play.state).toBe('backoff');
      expect(play.pass(1000)).toEqual(['spawn']);
    }
    play.give(spawned, exit3);
    expect(play.machine.view).toMatchObject({ state: 'failed', lastError: 'exit code 3', reason: 'exit code 3; it ended too often and is tried again every 60 s' });
    for (let retry = 0; retry < 50; retry += 1) {
      expect(play.pass(59_999)).toEqual([]);
      expect(play.pass(1)).toEqual(['spawn']);
      expect(play.give(spawned, exit3)).toEqual([]);
      expect(play.state).toBe('failed');
    }
    expect(play.machine.view.restarts).toBe(52);
  });

  it('after a long calm is the first one again', () => {
    const play = new Play({ failureLimit: 2, windowMs: 120_000 });
    play.give(start, spawned, exit3);
    play.pass(1000);
    play.give(spawned, exit3);
    expect(play.state).toBe('failed');
    play.pass(60_000);
    play.give(spawned, ready);
    for (let second = 0; second < 120; second += 1) {
      play.give(alive);
      play.pass(1000);
    }
    play.give(exit3);
    expect(play.state).toBe('backoff');
  });
});

describe('a hang', () => {
  it('is silence of a program that has spoken, for as long as the limit: it is killed', () => {
    const play = running();
    expect(play.pass(9999)).toEqual([]);
    expect(play.pass(1)).toEqual(['kill']);
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason: 'hung: silent for 10 s', pid: 77 });
    expect(play.give({ type: 'exited', code: null, signal: 'SIGKILL' })).toEqual([]);
    expect(play.machine.view).toMatchObject({ state: 'backoff', reason: 'hung: silent for 10 s', lastError: 'hung: silent for 10 s' });
  });

  it.each<[string, ProcessInput]>([
    ['starting', { type: 'starting' }],
    ['not-ready', { type: 'not-ready', reason: 'waits' }],
  ])('is seen while it is %s, too', (_state, word) => {
    const play = new Play({ readyLimitMs: 60_000 });
    play.give(start, spawned, word);
    expect(play.pass(10_000)).toEqual(['kill']);
  });

  it('is not seen in a program that speaks each second, whatever it says', () => {
    const play = running();
    for (let second = 0; second < 3600; second += 1) {
      play.give(second % 2 === 0 ? alive : ready);
      expect(play.pass(1000)).toEqual([]);
    }
    expect(play.state).toBe('running');
  });

  it('is not taken back by words that come after the kill', () => {
    const play = running();
    play.pass(10_000);
    expect(play.give(ready, alive)).toEqual([]);
    expect(play.reason).toBe('hung: silent for 10 s');
  });

  it('is killed again at each bound until it has ended', () => {
    const play = running({ terminateLimitMs: 1500 });
    expect(play.pass(10_000 + 3 * 1500)).toEqual(['kill', 'kill', 'kill', 'kill']);
  });

  it('is not a gap in our own time: after it the program has its time to speak again', () => {
    const play = running();
    play.pass(3000);
    play.nowMs += 3_600_000;
    expect(play.give({ type: 'tick' })).toEqual([]);
    expect(play.state).toBe('running');
    expect(play.pass(4999)).toEqual([]);
    expect(play.pass(1)).toEqual(['kill']);
  });

  it('is one failure like any other', () => {
    const play = new Play({ failureLimit: 2 });
    play.give(start, spawned, exit3);
    play.pass(1000);
    play.give(spawned, alive);
    play.pass(10_000);
    play.give({ type: 'exited', code: null, signal: 'SIGKILL' });
    expect(play.state).toBe('failed');
  });

  it('of a process that is to stop ends as stopped', () => {
    const play = running({ terminateLimitMs: 1500 });
    play.pass(10_000);
    expect(play.give(stop)).toEqual([]);
    expect(play.state).toBe('stopping');
    expect(play.pass(1500)).toEqual(['kill']);
    play.give({ type: 'exited', code: null, signal: 'SIGKILL' });
    expect(play.state).toBe('stopped');
  });
});

describe('too much memory', () => {
  const exceeded: ProcessInput = { type: 'memory-exceeded', usedMb: 312, limitMb: 256 };
  const reason = 'used 312 MiB, and its limit is 256 MiB';

  it('is a failure like any other: it is killed until it is gone, and the policy says when it is tried again', () => {
    const play = running({ failureLimit: 1, terminateLimitMs: 1500 });
    expect(play.give(exceeded)).toEqual(['kill']);
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason, pid: 77 });
    expect(play.give(exceeded, ready, alive)).toEqual([]);
    expect(play.pass(1500)).toEqual(['kill']);
    play.give({ type: 'exited', code: null, signal: 'SIGKILL' });
    expect(play.machine.view).toMatchObject({ state: 'failed', lastError: reason });
  });

  it('is nothing to one that stops already, or does not run', () => {
    const play = running();
    expect(play.give(stop, exceeded)).toEqual(['ask-stop']);
    play.give(exit3);
    expect(play.give(exceeded)).toEqual([]);
    expect(play.machine.view).toMatchObject({ state: 'stopped', lastError: '' });
  });
});

/** Lets it run and speak each second. */
function speakFor(play: Play, seconds: number): ProcessEffect[] {
  return Array.from({ length: seconds }, () => [...play.give(alive), ...play.pass(1000)]).flat();
}

describe('one that was failed and is tried', () => {
  const trial = /^on trial: /;

  /** It was failed, and its first slow try runs. */
  function onTrial(): Play {
    const play = new Play({ failureLimit: 2, windowMs: 120_000, slowRetryMs: 60_000 });
    play.give(start, spawned, exit3);
    play.pass(1000);
    play.give(spawned, exit3);
    expect(play.state).toBe('failed');
    expect(play.pass(60_000)).toEqual(['spawn']);
    play.give(spawned, ready);
    return play;
  }

  it('runs on trial, and says so, until its uptime is calm', () => {
    const play = onTrial();
    expect(play.machine.view).toMatchObject({ state: 'running', reason: expect.stringMatching(trial) as string });
    speakFor(play, 119);
    expect(play.reason).toMatch(trial);
    speakFor(play, 1);
    expect(play.machine.view).toMatchObject({ state: 'running', reason: '', lastError: 'exit code 3' });
    play.give(exit3);
    expect(play.state).toBe('backoff');
  });

  it('is failed again at once when it ends before that, and so for ever', () => {
    const play = onTrial();
    for (let turn = 0; turn < 100; turn += 1) {
      speakFor(play, 60);
      play.give(exit3);
      expect(play.state).toBe('failed');
      expect(play.pass(60_000)).toEqual(['spawn']);
      play.give(spawned, ready);
    }
  });

  it('that waits for its device keeps its own reason, and is not taken as running when its trial is over', () => {
    const play = onTrial();
    play.give({ type: 'not-ready', reason: 'bridge unreachable' });
    speakFor(play, 130);
    expect(play.machine.view).toMatchObject({ state: 'not-ready', reason: 'bridge unreachable' });
    play.give(ready);
    expect(play.machine.view).toMatchObject({ state: 'running', reason: '' });
  });
});

describe('over days and weeks', () => {
  const hourS = 3600;

  it('one that crashes four times in two days is running again a second after each', () => {
    const play = running();
    for (let crash = 1; crash <= 4; crash += 1) {
      speakFor(play, 12 * hourS);
      play.give(exit3);
      expect(play.state).toBe('backoff');
      expect(play.pass(1000)).toEqual(['spawn']);
      play.give(spawned, ready);
      expect(play.machine.view).toMatchObject({ state: 'running', restarts: crash, reason: '' });
    }
  });

  it('one that is down for three weeks is tried each minute, and runs as ever when its cause is gone', () => {
    const play = new Play();
    play.give(start);
    const endMs = play.nowMs + 21 * 24 * hourS * 1000;
    let longestMs = 0;
    while (play.nowMs < endMs) {
      play.give(spawned, exit3);
      longestMs = Math.max(longestMs, (play.machine.deadlineMs ?? Infinity) - play.nowMs);
      play.pass((play.machine.deadlineMs ?? Infinity) - play.nowMs);
    }
    expect(longestMs).toBe(60_000);
    expect(play.state).toBe('starting');
    play.give(spawned, ready);
    speakFor(play, 121);
    expect(play.machine.view).toMatchObject({ state: 'running', reason: '' });
    play.give(exit3);
    expect(play.state).toBe('backoff');
  });

  it('one that says that its bridge is unreachable is the same process after a day, and was never restarted', () => {
    const play = running();
    play.give({ type: 'not-ready', reason: 'bridge unreachable' });
    expect(speakFor(play, 24 * hourS)).toEqual([]);
    expect(play.machine.view).toEqual({ state: 'not-ready', pid: 77, restarts: 0, reason: 'bridge unreachable', lastError: '' });
  });
});

describe('a stop', () => {
  it('asks over the bus, then sends SIGTERM, then SIGKILL until it ends, each with its bound', () => {
    const play = running({ askLimitMs: 1500, terminateLimitMs: 1000 });
    expect(play.give(stop)).toEqual(['ask-stop']);
    expect(play.state).toBe('stopping');
    expect(play.pass(1499)).toEqual([]);
    expect(play.pass(1)).toEqual(['terminate']);
    expect(play.pass(999)).toEqual([]);
    expect(play.pass(1)).toEqual(['kill']);
    expect(play.pass(2000)).toEqual(['kill', 'kill']);
    expect(play.give({ type: 'exited', code: null, signal: 'SIGKILL' })).toEqual([]);
    expect(play.machine.view).toEqual({ state: 'stopped', pid: null, restarts: 0, reason: '', lastError: '' });
    expect(play.machine.deadlineMs).toBeUndefined();
  });

  it('sends SIGTERM at once when it cannot ask', () => {
    const play = running();
    play.give(stop);
    expect(play.give({ type: 'ask-failed' })).toEqual(['terminate']);
    expect(play.give({ type: 'ask-failed' })).toEqual([]);
    expect(play.pass(1500)).toEqual(['kill']);
  });

  it('is not asked twice, and hears no words any more', () => {
    const play = running();
    play.give(stop);
    expect(play.give(stop, ready, alive, { type: 'not-ready', reason: 'stops' })).toEqual([]);
    expect(play.machine.view).toMatchObject({ state: 'stopping', reason: '' });
  });

  it.each(['starting', 'not-ready'])('works while it is %s', (state) => {
    const play = new Play();
    play.give(start, spawned);
    if (state === 'not-ready') play.pass(10_000);
    expect(play.state).toBe(state);
    expect(play.give(stop)).toEqual(['ask-stop']);
    play.give(exit3);
    expect(play.state).toBe('stopped');
  });

  it('while it waits for its next try means that there is none', () => {
    const waiting = running();
    waiting.give(exit3);
    expect(waiting.state).toBe('backoff');
    for (const play of [failed(), waiting]) {
      expect(play.give(stop)).toEqual([]);
      expect(play.machine.view).toMatchObject({ state: 'stopped', reason: '', lastError: 'exit code 3' });
      expect(play.machine.deadlineMs).toBeUndefined();
      expect(play.give({ type: 'tick' })).toEqual([]);
    }
  });

  it('before the process is there sends it the signal that is due when it is', () => {
    const play = new Play({ askLimitMs: 100, terminateLimitMs: 100 });
    play.give(start);
    expect(play.give(stop)).toEqual(['ask-stop']);
    expect(play.pass(100)).toEqual(['terminate']);
    expect(play.give(spawned)).toEqual(['terminate']);
    expect(play.pass(100)).toEqual(['kill']);
  });

  it('of a process that then cannot be spawned is stopped', () => {
    const play = new Play();
    play.give(start, stop, { type: 'spawn-failed', reason: 'EAGAIN' });
    expect(play.machine.view).toMatchObject({ state: 'stopped', lastError: '' });
  });
});

describe('a start by hand', () => {
  it('while it stops starts it again after its end', () => {
    const play = running();
    play.give(stop);
    expect(play.give(start)).toEqual([]);
    expect(play.state).toBe('stopping');
    expect(play.give(exit3)).toEqual(['spawn']);
    expect(play.machine.view).toMatchObject({ state: 'starting', restarts: 0, lastError: '' });
  });

  it('while it stops is taken back by another stop', () => {
    const play = running();
    play.give(stop, start, stop);
    expect(play.give(exit3)).toEqual([]);
    expect(play.state).toBe('stopped');
  });

  it('ends the waiting at once, and forgives what was', () => {
    const play = new Play({ failureLimit: 2 });
    play.give(start, spawned, exit3);
    play.pass(1000);
    play.give(spawned, exit3);
    expect(play.machine.view).toMatchObject({ state: 'failed', restarts: 1 });
    expect(play.give(start)).toEqual(['spawn']);
    expect(play.machine.view).toMatchObject({ state: 'starting', restarts: 0, reason: '' });
    play.give(spawned, exit3);
    expect(play.state).toBe('backoff');
  });
});

describe('a restart', () => {
  it('stops it as a stop does, and starts it again', () => {
    const play = running();
    expect(play.give(restart)).toEqual(['ask-stop']);
    expect(play.state).toBe('stopping');
    expect(play.pass(3000)).toEqual(['terminate', 'kill']);
    expect(play.give({ type: 'exited', code: null, signal: 'SIGKILL' })).toEqual(['spawn']);
    expect(play.machine.view).toMatchObject({ state: 'starting', restarts: 0, lastError: '' });
  });

  it('while it stops starts it again', () => {
    const play = running();
    play.give(stop, restart);
    expect(play.give(exit3)).toEqual(['spawn']);
  });

  it('starts what does not run', () => {
    expect(new Play().give(restart)).toEqual(['spawn']);
    expect(failed().give(restart)).toEqual(['spawn']);
  });
});
