// The real worker machine as a process, with handlers that are quick, slow, or never answer.
import type { Frames } from '../../src/mdp/frames.ts';
import { defaultWorkerOptions, WorkerMachine, type HeldRequest } from '../../src/mdp/worker.ts';
import { framesToBroker, readAsMessage } from '../../src/wire.ts';
import { frames } from '../broker-driver.ts';
import { Line, type Network } from './network.ts';
import { Process } from './process.ts';
import { demand, replyAction, type Witness } from './witness.ts';

/** What a handler does: how long it takes, or that it never answers. */
export type Habit = (random: Process['random']) => number | undefined;

export class WorkerProcess extends Process {
  readonly service: string;
  readonly #capacity: number | undefined;
  /** The epoch of each start of the program. */
  readonly #nextEpoch: () => number | undefined;
  readonly #network: Network;
  readonly #witness: Witness;
  readonly #habit: Habit;
  #machine: WorkerMachine;
  #line: Line | undefined;
  /** Handlers that never answer, until the storm is over. */
  #hanging: (() => void)[] = [];
  /** Which run of the program this is. */
  #run = 0;

  /** Somebody else runs the program now: when this run of it ends there is no other. */
  isRetired = false;

  constructor(network: Network, witness: Witness, service: string, capacity: number | undefined, habit: Habit, nextEpoch: () => number | undefined = () => undefined) {
    super(network.clock, network.random);
    this.service = service;
    this.#nextEpoch = nextEpoch;
    this.#capacity = capacity;
    this.#network = network;
    this.#witness = witness;
    this.#habit = habit;
    this.#machine = this.#newMachine();
    this.input(() => this.#machine.start());
  }

  get line(): Line | undefined {
    return this.#line;
  }

  protected get deadlineMs(): number {
    return this.#machine.deadlineMs;
  }

  /** kill -9, and a new one after a while. */
  restart(downMs: number): void {
    this.#run += 1;
    this.die();
    this.#hanging = [];
    this.#line?.cut();
    this.#line?.close();
    this.#line = undefined;
    this.#machine = this.#newMachine();
    const run = this.#run;
    this.clock.after(downMs, () => {
      if (run === this.#run && !this.isRetired) this.input(() => this.#machine.start());
    });
  }

  /** An orderly stop (rule W4); with a time, a new one after it. */
  stop(downMs?: number): void {
    this.input(() => this.#machine.stop(this.clock.nowMs));
    if (downMs === undefined) return;
    const run = this.#run;
    this.clock.after(downMs, () => {
      if (run === this.#run) this.restart(0);
    });
  }

  get hasEnded(): boolean {
    return this.#machine.state === 'stopped' || this.#machine.state === 'new';
  }

  /** Handlers that hang come to their end. */
  unhang(): void {
    for (const end of this.#hanging.splice(0)) end();
  }

  protected tick(): void {
    this.#machine.tick(this.clock.nowMs);
  }

  protected flush(): void {
    for (const effect of this.#machine.effects.splice(0)) {
      switch (effect.do) {
        case 'open': this.#open(); break;
        case 'close':
          this.#line?.close();
          this.#line = undefined;
          break;
        case 'send': this.#send(framesToBroker(effect.message)); break;
        case 'deliver': this.#handle(effect.request); break;
        case 'abort':
          if (effect.why === 'cancelled' && this.random.chance(0.5)) this.#answer(effect.request, 0);
          break;
        case 'registered':
        case 'stopped': break;
        default: effect satisfies never;
      }
    }
  }

  #newMachine(): WorkerMachine {
    return new WorkerMachine({ ...defaultWorkerOptions, service: this.service, capacity: this.#capacity, epoch: this.#nextEpoch() }, () => this.random.next(), this.clock.nowMs);
  }

  #open(): void {
    this.#line = new Line(this.#network, {
      process: this,
      connected: () => this.#machine.connected(this.clock.nowMs),
      disconnected: () => this.#machine.disconnected(this.clock.nowMs),
      message: (message) => readAsMessage(message, (arrived) => this.#machine.receive(arrived, this.clock.nowMs)),
      unsendable: () => {},
    }, { heartbeats: true, lingers: true });
  }

  #send(message: Frames): void {
    const [, , command, token] = message.map((frame) => frame.toString('latin1'));
    const peer = this.#line?.peer ?? '';
    demand(command !== '\x03' || this.#witness.tokens.get(peer)?.has(token ?? '') === true, () => `W5: ${peer} answers what another connection brought`);
    this.#line?.send(message);
  }

  #handle(request: HeldRequest): void {
    const takesMs = this.#habit(this.random);
    if (takesMs !== undefined) this.#answer(request, takesMs);
    else this.#hanging.push(() => this.#answer(request, 0));
  }

  #answer(request: HeldRequest, takesMs: number): void {
    const machine = this.#machine;
    const body = frames(replyAction, request.body[1] ?? '');
    this.clock.after(takesMs, () => {
      if (machine === this.#machine) this.input(() => machine.reply(request, body, this.clock.nowMs));
    });
  }
}
