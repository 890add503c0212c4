// Workers on zeromq.js as fast as they can be, several in one process: each request is answered at once, out of the frames that
// brought it.
import { Dealer } from 'zeromq';
import { options, service } from './options.ts';
import { sayReady } from './ready.ts';

const [empty, header, ready, reply, heartbeat] = [Buffer.alloc(0), Buffer.from('MDPW01'), Buffer.from([1]), Buffer.from([3]), Buffer.from([4])];
const heartbeatMs = 1000;

async function connected(): Promise<Dealer> {
  const socket = new Dealer({ linger: 0, sendTimeout: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  const handshake = new Promise<void>((resolve) => socket.events.on('handshake', () => resolve()));
  socket.connect(options.endpoint);
  await handshake;
  return socket;
}

function serve(socket: Dealer): void {
  const send = (frames: (Buffer | string)[]): void => void socket.send(frames);
  const step = (frames: Buffer[]): void => {
    if (frames[2]?.[0] === 2) {
      frames[2] = reply;
      send(frames);
    }
    void socket.receive().then(step);
  };
  send([empty, header, ready, service, ...(options.capacity > 1 ? [String(options.capacity)] : [])]);
  setInterval(() => send([empty, header, heartbeat]), heartbeatMs);
  void socket.receive().then(step);
}

for (const socket of await Promise.all(Array.from({ length: options.workers }, connected))) serve(socket);
sayReady();
