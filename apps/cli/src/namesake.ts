// Two hosts of one name share what is asked of that name, so that each gets about half of it. A host that joins is refused
// then (joining.ts); this finds those that met later: both came at once, or one had been cut off.
import { CallError, Client } from '@majordomus/mq';
import { reasonOf, type Log } from '@majordomus/runtime';

/** A little more than the liveness of rules R9 and R10. */
const defaultLookAfterMs = 6500;

export interface NamesakeOptions {
  readonly endpoint: string;
  /** What this host answers as, and only this one should. */
  readonly service: string;
  readonly host: string;
  readonly log: Pick<Log, 'warn'>;
  /** How long after a registration it looks; by then the broker has forgotten who was this host before its connection was lost. */
  readonly lookAfterMs?: number;
}

export class Namesake implements Disposable {
  readonly #options: NamesakeOptions;
  #timer: NodeJS.Timeout | undefined;
  #looking = new AbortController();

  constructor(options: NamesakeOptions) {
    this.#options = options;
  }

  /** Looks for another one a while after each registration. */
  onPresence(isRegistered: boolean): void {
    this[Symbol.dispose]();
    if (!isRegistered) return;
    const { signal } = (this.#looking = new AbortController());
    this.#timer = setTimeout(() => void this.#look(signal), this.#options.lookAfterMs ?? defaultLookAfterMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#looking.abort();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { endpoint, service, host, log } = this.#options;
    try {
      await using client = new Client({ endpoint });
      const workers = Number(await client.manage('mmi.workers', service, { signal }));
      if (workers > 1) log.warn(`${workers} hosts are called ${host}, and each gets only a part of what is asked of ${host}: stop the others, and start them with another --host`);
    } catch (error) {
      // Who is not connected any more looks again when it is.
      if (!(error instanceof CallError)) log.warn(`cannot see whether another host is called ${host}: ${reasonOf(error)}`);
    }
  }
}
