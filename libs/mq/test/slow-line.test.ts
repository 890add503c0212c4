// Bytes that move are a sign of life (docs/protocol.md, rules R9, R10, W1): a message that is longer on its way than anybody
// may be silent arrives, whoever sends it.
import { expect, it } from 'vitest';
import { Broker, Client, decodeMessage, encodeMessage, isBadMessage, Worker, zmtpTransport, type Answerer, type Transport } from '../src/index.ts';
import { zeromqTransport } from '../src/zeromq.ts';
import { SlowLine } from './slow-line.ts';

const bytesPerSecond = 100_000;
/** More than six seconds of the line; our peers take five for the end. */
const large = 'x'.repeat(660_000);
/** A worker that holds a request is gone after three times the liveness: six seconds. */
const limits = { heartbeatMs: 500, livenessMs: 2000 };
const timeoutMs = 60_000;

/** Says how long the text was, or says a large one. */
const answerer: Answerer = {
  answer(body) {
    const message = decodeMessage(body);
    if (isBadMessage(message)) return Promise.resolve([]);
    const { action, data } = message;
    return Promise.resolve(encodeMessage({ action, data: action === 'say' ? { status: true, text: large } : { status: true, length: String(data['text']).length } }));
  },
};

it('R9, R10, W1: a message that is longer on its way than the liveness arrives, and nobody is lost but where no more of it comes', { timeout: 2 * timeoutMs }, async () => {
  await using broker = await Broker.bind({ endpoint: 'tcp://127.0.0.1:*', transport: zmtpTransport, limits });
  await using line = await SlowLine.to(broker.endpoint, bytesPerSecond);
  await using stalling = await SlowLine.to(broker.endpoint, bytesPerSecond, large.length / 10);
  const [near, far] = [broker.endpoint, line.endpoint];
  const presence: string[] = [];
  const startWorker = async (service: string, endpoint: string): Promise<Worker> => {
    const onPresence = (isRegistered: boolean): void => void presence.push(`${service} ${isRegistered}`);
    const worker = new Worker({ endpoint, transport: zmtpTransport, service, capacity: 2, handlers: answerer, onPresence }).start();
    await worker.registered();
    return worker;
  };
  const startClient = (endpoint: string, transport: Transport = zmtpTransport): Client => new Client({ endpoint, transport });
  await using _here = await startWorker('here', near);
  await using _takes = await startWorker('takes', far);
  await using _says = await startWorker('says', far);
  await using _stalls = await startWorker('stalls', stalling.endpoint);
  await using here = startClient(near);
  await using sends = startClient(far);
  await using receives = startClient(far);
  await using libzmq = startClient(far, zeromqTransport);
  await using stalls = startClient(stalling.endpoint);
  /** How many characters arrived, or what became of the call. */
  const call = async (client: Client, service: string, action: string, text: string): Promise<unknown> => {
    try {
      const { data } = await client.request(service, { action, data: { text } }, { timeoutMs });
      return action === 'say' ? String(data['text']).length : data['length'];
    } catch (error) {
      return error;
    }
  };
  const [fromClient, fromLibzmq, toWorker, fromWorker, toClient, fromStalled, fromStalledWorker] = await Promise.all([
    call(sends, 'here', 'measure', large),
    call(libzmq, 'here', 'measure', large),
    call(here, 'takes', 'measure', large),
    call(here, 'says', 'say', ''),
    call(receives, 'here', 'say', ''),
    call(stalls, 'here', 'measure', large),
    call(here, 'stalls', 'say', ''),
  ]);
  const { length } = large;
  expect({ fromClient, fromLibzmq, toWorker, fromWorker, toClient })
    .toEqual({ fromClient: length, fromLibzmq: length, toWorker: length, fromWorker: length, toClient: length });
  expect(presence.filter((said) => !said.startsWith('stalls')).sort()).toEqual(['here true', 'says true', 'takes true']);
  expect([fromStalled, fromStalledWorker]).toMatchObject([{ code: 'BROKER_LOST' }, { code: 'WORKER_LOST' }]);
});
