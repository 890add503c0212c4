// Two peers that are not ours: a worker as Domogik's is, and one that sends nonsense.
import type { Frames } from '../../src/mdp/frames.ts';
import { frames, type Part } from '../broker-driver.ts';
import { Line, type Network } from './network.ts';
import { Process } from './process.ts';
import { replyAction, type Witness } from './witness.ts';
import type { Habit } from './worker-process.ts';

const heartbeatMs = 1000;

/** A DEALER whose user is not ours. */
abstract class ForeignPeer extends Process {
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
