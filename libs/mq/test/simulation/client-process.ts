// The real client machine as a process, and what is demanded of each of its calls.
import { encodeFrames } from '@majordomus/zmtp';
import { ClientMachine, type CallOutcome, type Dialect, type OpenCall } from '../../src/mdp/client.ts';
import type { Frames } from '../../src/mdp/frames.ts';
import { framesToBroker, readAsMessage } from '../../src/wire.ts';
import { frames } from '../broker-driver.ts';
import { Line, type Network } from './network.ts';
import { Process } from './process.ts';
import { demand, replyAction, requestAction, type Witness } from './witness.ts';

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
        case 'send': this.#send(framesToBroker(effect.message)); break;
        default: effect satisfies never;
      }
    }
  }

  #open(): void {
    this.#line = new Line(this.#network, {
      process: this,
      connected: () => this.#machine.connected(this.clock.nowMs),
      disconnected: () => this.#machine.disconnected(this.clock.nowMs),
      message: (message) => readAsMessage(message, (arrived) => {
        this.#machine.receive(arrived);
        // A reply is read where it stands.
        this.flush();
      }),
      unsendable: (message) => this.#machine.unsendable({ head: encodeFrames(message), body: [] }, 'closed'),
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
    const [action, data] = outcome.message.frames(outcome.bodyAt).map((frame) => frame.toString('latin1'));
    const code = action === 'mq.error' ? /"code":"([A-Z_]+)"/.exec(data ?? '')?.[1] : undefined;
    demand(code !== undefined || (action === replyAction && data === name), () => `C1: ${name} was answered with ${action ?? ''} ${data ?? ''}`);
    call.ended = code ?? 'reply';
  }
}
