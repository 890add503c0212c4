// Who takes part: the real machines of broker, client and worker, each in a process of its own, and two peers that are
// not ours: a worker as Domogik's is, and one that sends nonsense.
import { BrokerMachine } from '../../src/mdp/broker.ts';
import type { BrokerLimits } from '../../src/mdp/broker-state.ts';
import { ClientMachine, type CallOutcome, type Dialect, type OpenCall } from '../../src/mdp/client.ts';
import type { Frames } from '../../src/mdp/frames.ts';
import { defaultWorkerOptions, WorkerMachine, type HeldRequest } from '../../src/mdp/worker.ts';
import { frames, type Part } from '../broker-driver.ts';
import { Line, type Listener, type Network } from './network.ts';
import { Process } from './process.ts';
import { demand, replyAction, requestAction, type Now, type Witness } from './witness.ts';

const heartbeatMs = 1000;
/** A longer pause of a process is one by rule R9. */
const pauseMs = 2 * heartbeatMs;

export class BrokerProcess extends Process implements Listener {
  readonly #network: Network;
  readonly #witness: Witness;
  readonly #limits: BrokerLimits;
  readonly #lines = new Map<string, Line>();
  machine: BrokerMachine;
  #running = true;
  #lastRunMs: number;
  #pauseBeganMs: number | undefined;
  #pausedMs = 0;

  constructor(network: Network, witness: Witness, limits: BrokerLimits) {
    super(network.clock, network.random);
    this.#network = network;
    this.#witness = witness;
    this.#limits = limits;
    this.machine = this.#newMachine();
    this.#lastRunMs = this.clock.nowMs;
    network.listener = this;
    this.input(() => {});
  }

  get isListening(): boolean {
    return this.#running;
  }

  get #now(): Now {
    return { nowMs: this.clock.nowMs, attentiveMs: this.clock.nowMs - this.#pausedMs };
  }

  protected get deadlineMs(): number {
    return this.#running ? this.machine.deadlineMs : Infinity;
  }

  accept(line: Line): void {
    this.#lines.set(line.peer, line);
  }

  message(peer: string, message: Frames): void {
    this.#run();
    const { nowMs } = this.clock;
    this.#witness.reads(peer, message, this.#pauseBeganMs ?? nowMs, this.#now);
    this.machine.receive(peer, message, nowMs);
  }

  gone(peer: string): void {
    this.#run();
    this.#lines.delete(peer);
    this.#witness.gone(peer);
    this.machine.gone(peer, this.clock.nowMs);
  }

  protected tick(): void {
    this.#run();
    this.#pauseBeganMs = undefined;
    this.machine.tick(this.clock.nowMs);
    this.flush();
    this.#witness.ticked(this.clock.nowMs);
    const { open, heldBytes, services, clients } = this.machine.status(this.clock.nowMs);
    const { maxBodyBytes, maxCapacity, maxHeldBytes, maxOpenPerClient, maxWaitingPerService } = this.#limits;
    const waiting = services.reduce((sum, service) => sum + service.waiting, 0);
    demand(open >= waiting && heldBytes >= 0 && (heldBytes > 0) === (waiting > 0), () => `R13: ${open} open, ${waiting} waiting, ${heldBytes} bytes held`);
    // What could not be sent to a worker waits again, beside the limits.
    const again = maxCapacity;
    demand(heldBytes <= maxHeldBytes + again * maxBodyBytes && waiting <= clients * maxOpenPerClient, () => `R13: ${heldBytes} bytes held, ${waiting} waiting of ${clients} clients`);
    for (const service of services) demand(service.waiting <= maxWaitingPerService + again, () => `R13: ${service.waiting} wait for ${service.name}`);
  }

  protected flush(): void {
    while (this.machine.outgoing.length > 0) {
      for (const { peer, frames: message } of this.machine.outgoing.splice(0)) {
        this.#witness.sends(peer, message, this.#now);
        if (this.#lines.get(peer)?.deliver(message) === true) continue;
        // The socket says so at once, or after something else was read.
        if (this.random.chance(0.5)) this.#couldNotSend(peer, message);
        else {
          const { machine } = this;
          this.clock.after(this.random.between(0, 2), () => {
            if (machine === this.machine) this.input(() => this.#couldNotSend(peer, message));
          });
        }
      }
    }
  }

  #couldNotSend(peer: string, message: Frames): void {
    this.#witness.sendsInVain(peer, message);
    this.machine.unsendable(peer, message, this.clock.nowMs);
  }

  /** kill -9, and a new one after a while. */
  restart(downMs: number): void {
    if (!this.#running) return;
    this.#running = false;
    this.die();
    this.#network.incarnation += 1;
    for (const line of this.#lines.values()) line.cut();
    this.#lines.clear();
    this.clock.after(downMs, () => {
      this.#witness.restart();
      this.machine = this.#newMachine();
      this.#lastRunMs = this.clock.nowMs;
      this.#pauseBeganMs = undefined;
      this.#running = true;
      this.input(() => {});
    });
  }

  #newMachine(): BrokerMachine {
    return new BrokerMachine(this.random.bytes(8), this.clock.nowMs, this.#limits);
  }

  #run(): void {
    const { nowMs } = this.clock;
    if (nowMs - this.#lastRunMs > pauseMs) {
      this.#pauseBeganMs ??= this.#lastRunMs;
      this.#pausedMs += nowMs - this.#lastRunMs;
    }
    this.#lastRunMs = nowMs;
  }
}

/** One call, and how it ended. */
export interface Call {
  readonly name: string;
  readonly deadlineMs: number;
  ended: string | undefined;
}

export class ClientProcess extends Process {
  readonly dialect: Dialect;
  readonly #network: Network;
  readonly #witness: Witness;
  readonly #machine: ClientMachine;
  #line: Line | undefined;
  readonly calls: Call[] = [];
  readonly #handles = new Map<string, OpenCall>();

  constructor(network: Network, witness: Witness, dialect: Dialect) {
    super(network.clock, network.random);
    this.dialect = dialect;
    this.#network = network;
    this.#witness = witness;
    this.#machine = new ClientMachine({ dialect, share: 12 }, () => this.random.next());
    this.input(() => this.#machine.start());
  }

  get openCalls(): number {
    return this.#machine.openCalls;
  }

  protected get deadlineMs(): number {
    return this.#machine.deadlineMs;
  }

  call(name: string, service: string, padding: number, timeoutMs: number): Call {
    const call: Call = { name, deadlineMs: this.clock.nowMs + timeoutMs, ended: undefined };
    this.calls.push(call);
    this.input(() => {
      const body = frames(requestAction, name, Buffer.alloc(padding));
      this.#handles.set(name, this.#machine.call(Buffer.from(service), body, call.deadlineMs, (outcome) => this.#settle(call, outcome), this.clock.nowMs));
    });
    return call;
  }

  cancel(call: Call): void {
    this.input(() => {
      const handle = this.#handles.get(call.name);
      if (handle !== undefined) this.#machine.cancel(handle, this.clock.nowMs);
    });
  }

  end(): void {
    this.input(() => this.#machine.end());
  }

  protected tick(): void {
    this.#machine.tick(this.clock.nowMs);
  }

  protected flush(): void {
    for (const effect of this.#machine.effects.splice(0)) {
      switch (effect.do) {
        case 'open': this.#open(); break;
        case 'close': this.#line?.close(); break;
        case 'settle': effect.call.settle(effect.outcome); break;
        case 'send': this.#send(effect.frames); break;
        default: effect satisfies never;
      }
    }
  }

  #open(): void {
    this.#line = new Line(this.#network, {
      process: this,
      connected: () => this.#machine.connected(this.clock.nowMs),
      disconnected: () => this.#machine.disconnected(this.clock.nowMs),
      message: (message) => this.#machine.receive(message),
      unsendable: (message) => this.#machine.unsendable(message),
    }, { heartbeats: true, lingers: false });
  }

  #send(message: Frames): void {
    const name = message.at(-2)?.toString('latin1');
    const call = this.calls.findLast((each) => each.name === name);
    demand(call === undefined || call.deadlineMs > this.clock.nowMs, () => `C4: ${name ?? ''} was sent after its deadline`);
    this.#line?.send(message);
  }

  #settle(call: Call, outcome: CallOutcome): void {
    const { name } = call;
    const { nowMs } = this.clock;
    demand(call.ended === undefined, () => `C2: ${name} ended as ${call.ended ?? ''} and again as ${outcome.kind}`);
    demand(nowMs <= Math.max(call.deadlineMs, this.resumedMs) + 10, () => `C2: ${name} ended ${nowMs - call.deadlineMs} ms late`);
    this.#handles.delete(name);
    if (outcome.kind === 'failed') {
      call.ended = outcome.code;
      const undone = outcome.code === 'NOT_CONNECTED' || outcome.code === 'OVERLOADED';
      demand(!undone || !this.#witness.asked.has(name), () => `C4: ${name} ended with ${outcome.code}, and a broker had read it`);
      return;
    }
    const [action, data] = outcome.body.map((frame) => frame.toString('latin1'));
    const code = action === 'mq.error' ? /"code":"([A-Z_]+)"/.exec(data ?? '')?.[1] : undefined;
    demand(code !== undefined || (action === replyAction && data === name), () => `C1: ${name} was answered with ${action ?? ''} ${data ?? ''}`);
    call.ended = code ?? 'reply';
  }
}

/** What a handler does: how long it takes, or that it never answers. */
export type Habit = (random: Process['random']) => number | undefined;

export class WorkerProcess extends Process {
  readonly service: string;
  readonly #capacity: number | undefined;
  readonly #network: Network;
  readonly #witness: Witness;
  readonly #habit: Habit;
  #machine: WorkerMachine;
  #line: Line | undefined;
  /** Handlers that never answer, until the storm is over. */
  #hanging: (() => void)[] = [];
  /** Which run of the program this is. */
  #run = 0;

  constructor(network: Network, witness: Witness, service: string, capacity: number | undefined, habit: Habit) {
    super(network.clock, network.random);
    this.service = service;
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
    this.clock.after(downMs, () => this.input(() => this.#machine.start()));
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
        case 'send': this.#send(effect.frames); break;
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
    return new WorkerMachine({ ...defaultWorkerOptions, service: this.service, capacity: this.#capacity }, () => this.random.next(), this.clock.nowMs);
  }

  #open(): void {
    this.#line = new Line(this.#network, {
      process: this,
      connected: () => this.#machine.connected(this.clock.nowMs),
      disconnected: () => this.#machine.disconnected(this.clock.nowMs),
      message: (message) => this.#machine.receive(message, this.clock.nowMs),
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

/** A DEALER whose user is not ours. */
export abstract class ForeignPeer extends Process {
  readonly #network: Network;
  #line: Line | undefined;
  protected dueMs = Infinity;

  constructor(network: Network) {
    super(network.clock, network.random);
    this.#network = network;
  }

  protected abstract connected(): void;
  protected abstract message(message: Frames): void;
  protected flush(): void {}

  protected get deadlineMs(): number {
    return this.dueMs;
  }

  get line(): Line | undefined {
    return this.#line;
  }

  protected open(): string {
    this.#line?.close();
    const line: Line = new Line(this.#network, {
      process: this,
      connected: () => this.connected(),
      disconnected: () => {},
      message: (message) => this.message(message),
      unsendable: () => {},
    }, { heartbeats: false, lingers: true });
    this.#line = line;
    return line.peer;
  }

  protected send(...parts: Part[]): void {
    this.#line?.send(frames(...parts));
  }

  close(): void {
    this.dueMs = Infinity;
    this.#line?.close();
    this.#line = undefined;
    this.input(() => {});
  }
}

/** Domogik's worker: one request at a time, silent while it works, often no answer, no goodbye. */
export class DomogikWorker extends ForeignPeer {
  readonly #service: string;
  readonly #habit: Habit;
  readonly #isMute: () => boolean;
  #misses = 0;
  #working = false;
  #unread: Frames[] = [];

  /** @param isMute whether it gives no answer to a request, although it has handled it */
  constructor(network: Network, service: string, habit: Habit, isMute: () => boolean) {
    super(network);
    this.#service = service;
    this.#isMute = isMute;
    this.#habit = habit;
    this.input(() => this.#begin());
  }

  /** Its handler ends, whatever it was doing. */
  unhang(): void {
    if (this.#working) this.input(() => this.#goOn());
  }

  protected connected(): void {
    this.send('', 'MDPW01', '\x01', this.#service);
  }

  protected message(message: Frames): void {
    if (this.#working) this.#unread.push(message);
    else this.#read(message);
  }

  /** Each second: a heartbeat, and whether the broker was silent for three. */
  protected tick(): void {
    this.dueMs = this.clock.nowMs + heartbeatMs;
    if (this.#working) return;
    this.#misses += 1;
    if (this.#misses > 3) this.#begin();
    else this.send('', 'MDPW01', '\x04');
  }

  #begin(): void {
    this.#misses = 0;
    this.#unread = [];
    this.open();
    this.dueMs = this.clock.nowMs + heartbeatMs;
  }

  #read(message: Frames): void {
    this.#misses = 0;
    const parts = message.map((frame) => frame.toString('latin1'));
    if (parts[2] === '\x05') this.#begin();
    if (parts[2] !== '\x02') return;
    this.#working = true;
    const takesMs = this.#habit(this.random);
    const silent = this.#isMute();
    const line = this.line;
    this.clock.after(takesMs ?? 60_000, () => this.input(() => {
      if (this.line !== line || !this.#working) return;
      if (!silent) this.send('', 'MDPW01', '\x03', parts[3] ?? '', '', replyAction, parts[6] ?? '');
      this.#goOn();
    }));
  }

  #goOn(): void {
    this.#working = false;
    while (!this.#working) {
      const next = this.#unread.shift();
      if (next === undefined) return;
      this.#read(next);
    }
  }
}

/** It registers, answers twice, answers what others were asked, and sends what is no message. */
export class Rogue extends ForeignPeer {
  readonly #witness: Witness;
  readonly #service: string;

  constructor(network: Network, witness: Witness, service: string) {
    super(network);
    this.#witness = witness;
    this.#service = service;
    this.input(() => this.#begin());
  }

  protected connected(): void {
    if (this.random.chance(0.5)) this.send('', 'MDPW01', '\x01', this.#service, '2');
  }

  protected message(message: Frames): void {
    const parts = message.map((frame) => frame.toString('latin1'));
    if (parts[2] !== '\x02' || this.random.chance(0.5)) return;
    this.send('', 'MDPW01', '\x03', parts[3] ?? '', '', replyAction, parts[6] ?? '');
    this.send('', 'MDPW01', '\x03', parts[3] ?? '', '', replyAction, 'forged');
  }

  protected tick(): void {
    this.dueMs = this.clock.nowMs + this.random.between(50, 1500);
    const tokens = [...this.#witness.tokens].filter(([peer]) => peer !== this.line?.peer).flatMap(([, given]) => [...given].slice(-2));
    const token = tokens.length > 0 ? this.random.pick(tokens.slice(-20)) : 'none';
    this.send(...this.random.pick<Part[]>([
      ['', 'MDPW01', '\x03', token, '', replyAction, 'forged'],
      ['', 'MDPW01', '\x04'], ['', 'MDPW01', '\x04'], ['', 'MDPW01', '\x2a'], ['', 'MDPW01', '\x01', ''],
      ['', 'MDPC01', 'nonsense', '0.5', 'x', 'y'], ['', 'MDPC01', 'nonsense'], ['', 'MDPC01', 'mmi.majordomus'], ['1', '', 'MDPC01', 'mmi.cancel'],
      ['nonsense'], [], ['', ''], [''],
    ]));
    if (this.random.chance(0.1)) this.#begin();
  }

  #begin(): void {
    this.#witness.strangers.add(this.open());
    this.dueMs = this.clock.nowMs + this.random.between(50, 1500);
  }
}
