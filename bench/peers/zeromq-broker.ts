// A broker as small as RFC 7 allows, as fast as zeromq.js allows: each send is synchronous (`sendTimeout: 0`), nothing is awaited
// but the next message, constant frames are made once. It forgets no worker and judges no silence; capacity as in rule R14.
import { Router } from 'zeromq';
import { sayReady } from './ready.ts';

interface Service {
  readonly name: Buffer;
  readonly waiting: Buffer[][];
  /** A worker stands here once for each request that it may be given now. */
  readonly free: Worker[];
}

interface Worker {
  readonly id: Buffer;
  readonly service: Service;
}

const socket = new Router({ linger: 0, sendTimeout: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
const services = new Map<string, Service>();
const workers = new Map<string, Worker>();
const [empty, clientHeader, workerHeader, request, heartbeat, disconnect] = [Buffer.alloc(0), Buffer.from('MDPC01'), Buffer.from('MDPW01'), Buffer.from([2]), Buffer.from([4]), Buffer.from([5])];
const heartbeatMs = 1000;
const maxCapacity = 1024;
/** Frames before the body, of a request and of a reply. */
const clientHead = 4;
const workerHead = 6;

const send = (frames: Buffer[]): void => void socket.send(frames).catch(() => {});

function serviceOf(name: Buffer): Service {
  const key = name.toString('latin1');
  const known = services.get(key);
  if (known !== undefined) return known;
  const made = { name, waiting: [], free: [] };
  services.set(key, made);
  return made;
}

/** @param frames address, empty, header and service, then the body */
function handOver({ id }: Worker, frames: Buffer[]): void {
  const [client = empty] = frames;
  send([id, empty, workerHeader, request, client, empty].concat(frames.slice(clientHead)));
}

function free(worker: Worker): void {
  const next = worker.service.waiting.shift();
  if (next === undefined) worker.service.free.push(worker);
  else handOver(worker, next);
}

function take(frames: Buffer[]): void {
  const [id = empty, header = empty, third = empty, fourth = empty] = [frames[0], frames[2], frames[3], frames[4]];
  if (header.length === 6 && header[3] === 0x43) {
    const service = serviceOf(third);
    const worker = service.free.shift();
    if (worker === undefined) service.waiting.push(frames);
    else handOver(worker, frames);
    return;
  }
  const worker = workers.get(id.toString('latin1'));
  if (third[0] === 3 && worker !== undefined) {
    send([fourth, empty, clientHeader, worker.service.name].concat(frames.slice(workerHead)));
    free(worker);
  } else if (third[0] === 1 && worker === undefined) {
    const registered = { id, service: serviceOf(fourth) };
    workers.set(id.toString('latin1'), registered);
    const capacity = Math.min(maxCapacity, Number(frames[5]?.toString() ?? 1) || 1);
    for (let slot = 0; slot < capacity; slot++) free(registered);
  } else if (worker === undefined) send([id, empty, workerHeader, disconnect]);
}

const step = (frames: Buffer[]): void => {
  take(frames);
  void socket.receive().then(step);
};

await socket.bind('tcp://127.0.0.1:*');
setInterval(() => {
  for (const { id } of workers.values()) send([id, empty, workerHeader, heartbeat]);
}, heartbeatMs);
void socket.receive().then(step);
sayReady({ endpoint: socket.lastEndpoint ?? '' });
