// The real broker machine as a process: it is suspended, killed and started again, and watched by the witness.
import { BrokerMachine } from '../../src/mdp/broker.ts';
import type { BrokerLimits, Outgoing } from '../../src/mdp/broker-state.ts';
import type { Frames } from '../../src/mdp/frames.ts';
import { framesOf, readAsMessage } from '../../src/wire.ts';
import type { Line, Listener, Network } from './network.ts';
import { Process } from './process.ts';
import { demand, type Now, type Witness } from './witness.ts';

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
    readAsMessage(message, (arrived) => this.machine.receive(peer, arrived, nowMs));
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
      for (const outgoing of this.machine.outgoing.splice(0)) {
        const message = framesOf(outgoing);
        this.#witness.sends(outgoing.peer, message, this.#now);
        if (this.#lines.get(outgoing.peer)?.deliver(message) === true) continue;
        // The socket says so at once, or after something else was read.
        if (this.random.chance(0.5)) this.#couldNotSend(outgoing);
        else {
          const { machine } = this;
          this.clock.after(this.random.between(0, 2), () => {
            if (machine === this.machine) this.input(() => this.#couldNotSend(outgoing));
          });
        }
      }
    }
  }

  #couldNotSend(outgoing: Outgoing): void {
    this.#witness.sendsInVain(outgoing.peer, framesOf(outgoing));
    this.machine.unsendable(outgoing, this.clock.nowMs);
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
