// The open requests of a client, or of a worker. Each knows its place in the list of either, so that it is taken out without a
// search, and nothing is hashed (but for a client that cancels); the last one takes its place, so they stand in no order.
import type { OpenRequest } from './broker-state.ts';

abstract class OpenRequests {
  readonly #list: OpenRequest[] = [];

  protected abstract placeOf(request: OpenRequest): number;
  protected abstract setPlace(request: OpenRequest, place: number): void;

  get size(): number {
    return this.#list.length;
  }

  /** Those that are here now, whatever becomes of them meanwhile. */
  all(): OpenRequest[] {
    return [...this.#list];
  }

  /** Adds one that is not here. */
  add(request: OpenRequest): void {
    this.setPlace(request, this.#list.length);
    this.#list.push(request);
  }

  /** Takes one out; one that is not here is left alone. */
  delete(request: OpenRequest): void {
    const place = this.placeOf(request);
    if (this.#list[place] !== request) return;
    const last = this.#list.pop();
    if (last === undefined || last === request) return;
    this.setPlace(last, place);
    this.#list[place] = last;
  }
}

export class RequestsOfClient extends OpenRequests {
  /**
   * Those of each address, by its bytes as latin1. Made when the client cancels, and forgotten when nothing is open: a client that never
   * cancels pays nothing for it, and what it costs to make was paid for by as many requests, so no cancel is dear.
   */
  #byAddress: Map<string, Set<OpenRequest>> | undefined;

  /** Those that came under an address (rule R17), whatever becomes of them meanwhile. */
  under(address: Buffer): OpenRequest[] {
    if (this.size === 0) return [];
    this.#byAddress ??= this.#listByAddress();
    return [...(this.#byAddress.get(keyOf(address)) ?? [])];
  }

  override add(request: OpenRequest): void {
    super.add(request);
    if (this.#byAddress !== undefined) list(this.#byAddress, request);
  }

  override delete(request: OpenRequest): void {
    super.delete(request);
    if (this.#byAddress === undefined) return;
    if (this.size === 0) {
      this.#byAddress = undefined;
      return;
    }
    const key = keyOf(request.address);
    const same = this.#byAddress.get(key);
    if (same?.delete(request) === true && same.size === 0) this.#byAddress.delete(key);
  }

  #listByAddress(): Map<string, Set<OpenRequest>> {
    const byAddress = new Map<string, Set<OpenRequest>>();
    for (const request of this.all()) list(byAddress, request);
    return byAddress;
  }

  protected placeOf(request: OpenRequest): number {
    return request.placeAtClient;
  }

  protected setPlace(request: OpenRequest, place: number): void {
    request.placeAtClient = place;
  }
}

export class RequestsOfWorker extends OpenRequests {
  protected placeOf(request: OpenRequest): number {
    return request.placeAtWorker;
  }

  protected setPlace(request: OpenRequest, place: number): void {
    request.placeAtWorker = place;
  }
}

function keyOf(address: Buffer): string {
  return address.toString('latin1');
}

function list(byAddress: Map<string, Set<OpenRequest>>, request: OpenRequest): void {
  const key = keyOf(request.address);
  const same = byAddress.get(key);
  if (same === undefined) byAddress.set(key, new Set([request]));
  else same.add(request);
}
