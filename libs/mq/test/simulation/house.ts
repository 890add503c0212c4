// One simulated house: a storm of calls and faults, then calm, then an end; with what must hold all the time and at the end.
import { defaultBrokerLimits, type BrokerLimits } from '../../src/mdp/broker-state.ts';
import { BrokerProcess } from './broker-process.ts';
import { ClientProcess, type Call } from './client-process.ts';
import { DomogikWorker, Rogue } from './foreign-peers.ts';
import { Network } from './network.ts';
import { Clock, type Process } from './process.ts';
import { Random } from './random.ts';
import { demand, Witness } from './witness.ts';
import { WorkerProcess, type Habit } from './worker-process.ts';

const stormMs = 30_000;
const calmMs = 30_000;
const services = ['capable', 'plain', 'mixed', 'domogik', 'fenced'];
const limits: BrokerLimits = {
  ...defaultBrokerLimits, defaultTimeoutMs: 6000, maxOpenPerClient: 8, maxWaitingPerService: 8, maxCapacity: 3, maxHeldBytes: 6000, maxBodyBytes: 1200, discoveryGraceMs: 3000,
};

/** Mostly quick; now and then slower than its caller waits, or without any answer. */
const erratic: Habit = (random) => (random.chance(0.03) ? undefined : random.chance(0.1) ? random.between(500, 9000) : random.between(1, 150));

export interface Outcome {
  readonly steps: number;
  /** How many calls ended in each way. */
  readonly endings: Readonly<Record<string, number>>;
}

export class House {
  readonly #random: Random;
  readonly #clock = new Clock();
  readonly #witness = new Witness(limits);
  readonly #network: Network;
  readonly #broker: BrokerProcess;
  readonly #clients: ClientProcess[];
  readonly #workers: WorkerProcess[];
  /** The instances of one plugin, each with an epoch but the first; the last is the one that whoever supervises it knows of. */
  readonly #instances: WorkerProcess[];
  #epoch = 1_795_351_147_000;
  readonly #domogik: DomogikWorker[];
  readonly #rogue: Rogue;
  #stormy = true;
  readonly #habit: Habit = (random) => (this.#stormy ? erratic(random) : random.between(1, 20));
  #names = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#network = new Network(this.#clock, this.#random);
    this.#broker = new BrokerProcess(this.#network, this.#witness, limits);
    const [network, witness] = [this.#network, this.#witness];
    const habit = this.#habit;
    this.#clients = (['majordomus', 'majordomus', 'domogik', 'rfc', 'rfc'] as const).map((dialect) => new ClientProcess(network, witness, dialect));
    this.#workers = [
      new WorkerProcess(network, witness, 'capable', 1, habit),
      new WorkerProcess(network, witness, 'capable', 5, habit),
      new WorkerProcess(network, witness, 'plain', undefined, habit),
      new WorkerProcess(network, witness, 'mixed', undefined, habit),
      new WorkerProcess(network, witness, 'mixed', 2, habit),
    ];
    this.#instances = [new WorkerProcess(network, witness, 'fenced', undefined, habit), this.#newInstance(habit)];
    this.#domogik = ['domogik', 'mixed'].map((service) => new DomogikWorker(network, service, habit, () => this.#stormy && this.#random.chance(0.2)));
    this.#rogue = new Rogue(network, witness, 'capable');
  }

  run(): Outcome {
    this.#nextCall();
    this.#nextFault();
    this.#clock.runUntil(stormMs);
    this.#calm();
    this.#clock.runUntil(stormMs + calmMs);
    this.#probe();
    this.#end();
    const endings: Record<string, number> = {};
    for (const { ended } of this.#clients.flatMap(({ calls }) => calls)) endings[ended ?? 'none'] = (endings[ended ?? 'none'] ?? 0) + 1;
    return { steps: this.#clock.steps, endings };
  }

  /** A start of the plugin; some are plain. */
  #newInstance(habit: Habit): WorkerProcess {
    const capacity = this.#random.chance(0.3) ? undefined : this.#random.pick([1, 4]);
    return new WorkerProcess(this.#network, this.#witness, 'fenced', capacity, habit, () => {
      this.#epoch += 1;
      return this.#epoch;
    });
  }

  /** Its manager was killed and started again, and knows nothing of the instance that runs. */
  #replacePlugin(): void {
    for (const instance of this.#instances) instance.isRetired = true;
    this.#instances.push(this.#newInstance(this.#habit));
  }

  #freshName(): string {
    this.#names += 1;
    return `call-${this.#names}`;
  }

  #call(client: ClientProcess, service: string, timeoutMs: number): Call {
    const padding = this.#random.chance(0.01) ? 1300 : this.#random.chance(0.2) ? 900 : 10;
    return client.call(this.#freshName(), service, padding, timeoutMs);
  }

  #nextCall(): void {
    this.#clock.after(this.#random.between(0, this.#random.chance(0.9) ? 100 : 1000), () => {
      if (!this.#stormy) return;
      const random = this.#random;
      const client = random.pick(this.#clients);
      // A client of the plain dialect has one call at a time; that it refuses more is seen often enough.
      if (client.dialect === 'rfc' && client.openCalls > 0 && random.chance(0.95)) return this.#nextCall();
      const service = random.chance(0.02) ? 'nobody' : random.pick(services);
      const call = this.#call(client, service, random.pick([30, 300, 1000, 3000, 8000]));
      if (random.chance(0.1)) this.#clock.after(random.between(0, 500), () => client.cancel(call));
      this.#nextCall();
    });
  }

  #nextFault(): void {
    this.#clock.after(this.#random.between(0, 1200), () => {
      if (!this.#stormy) return;
      this.#fault();
      this.#nextFault();
    });
  }

  #fault(): void {
    const random = this.#random;
    const lines = [...this.#network.lines].filter(({ isOpen }) => isOpen);
    const ours = [...this.#workers, ...this.#instances];
    const anyone: readonly Process[] = [...this.#clients, ...ours, ...this.#domogik];
    switch (random.pick(['cut', 'cut', 'swallow', 'unread', 'suspend', 'suspend', 'kill', 'stop', 'replace', 'suspend broker', 'restart broker'])) {
      case 'cut': if (lines.length > 0) random.pick(lines).cut(); break;
      case 'swallow': if (lines.length > 0) random.pick(lines).swallow(); break;
      case 'unread': {
        if (lines.length === 0) return;
        const line = random.pick(lines);
        line.isRead = false;
        this.#clock.after(random.between(10, 3000), () => {
          line.isRead = true;
        });
        return;
      }
      case 'suspend': this.#suspend(random.pick(anyone)); break;
      case 'kill': random.pick(ours).restart(random.between(0, 4000)); break;
      case 'stop': random.pick(ours).stop(random.between(500, 6000)); break;
      case 'replace': this.#replacePlugin(); break;
      case 'suspend broker': if (random.chance(0.5)) this.#suspend(this.#broker); break;
      default: if (random.chance(0.5)) this.#broker.restart(random.between(10, 5000));
    }
  }

  #suspend(process: Process): void {
    process.suspend();
    this.#clock.after(this.#random.pick([50, 1000, 3000, 8000]) * this.#random.between(0.8, 1.2), () => process.resume());
  }

  /** No more faults, and nobody hangs. What was broken may take its time to be noticed. */
  #calm(): void {
    this.#stormy = false;
    this.#rogue.close();
    for (const process of [this.#broker, ...this.#clients, ...this.#workers, ...this.#instances, ...this.#domogik]) process.resume();
    for (const line of this.#network.lines) line.isRead = true;
    for (const worker of [...this.#workers, ...this.#instances, ...this.#domogik]) worker.unhang();
  }

  /** No service is wedged: each is asked by each client, and answers. */
  #probe(): void {
    for (const service of services) {
      for (const client of this.#clients) {
        demand(client.openCalls === 0, () => `C2: a client of ${client.dialect} still has ${client.openCalls} calls open`);
        const call = client.call(this.#freshName(), service, 10, 5000);
        this.#clock.runUntil(this.#clock.nowMs + 5050);
        demand(call.ended === 'reply', () => `R8: ${service} is wedged: ${client.dialect} got ${call.ended ?? 'nothing'}`);
      }
    }
  }

  /** When all is quiet nothing is left, and when all are gone nobody is. */
  #end(): void {
    for (const { name, ended } of this.#clients.flatMap(({ calls }) => calls)) demand(ended !== undefined, () => `C2: ${name} never ended`);
    const { nowMs } = this.#clock;
    const quiet = this.#broker.machine.status(nowMs);
    demand(quiet.open === 0 && quiet.heldBytes === 0, () => `R13: ${quiet.open} open and ${quiet.heldBytes} bytes held though all is quiet`);
    demand(quiet.workers === 8, () => `R9: ${quiet.workers} workers are registered, not 8: ${JSON.stringify(quiet.services)}`);
    const [plugin, ...older] = this.#instances.toReversed();
    demand(plugin?.hasEnded === false && older.every(({ hasEnded }) => hasEnded), () => `R15: ${older.filter(({ hasEnded }) => !hasEnded).length} older instances still run`);
    for (const client of this.#clients) client.end();
    for (const worker of [...this.#workers, ...this.#instances]) worker.stop();
    for (const worker of this.#domogik) worker.close();
    this.#clock.runUntil(nowMs + 25_000);
    const { machine } = this.#broker;
    machine.tick(this.#clock.nowMs);
    const end = machine.status(this.#clock.nowMs);
    demand(end.clients === 0 && end.workers === 0 && end.services.length === 0, () => `R13: when all are gone there is left ${JSON.stringify(end)}`);
    demand(machine.deadlineMs === this.#clock.nowMs + 1000, () => 'R13: the broker keeps a timer of what is gone');
  }
}
