// The open requests of a client, or of a worker. Each knows its place in the list of either, so that it is taken out without a
// search, and nothing is hashed; the last one takes its place, so they stand in no order.
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
