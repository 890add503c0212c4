// A gateway that does what a test says: for what no simulated module does.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { encodeFrame, FrameParser } from '../src/frame.ts';
import { decodeMessage, encodeMessage, type Message } from '../src/message.ts';

export interface ScriptedDevice extends AsyncDisposable {
  /** HOST:PORT. */
  readonly address: string;
  /** What was asked so far, in its order. */
  readonly heard: readonly Message[];
  /** Says something without being asked. */
  send(message: Message): void;
  sendBytes(...bytes: readonly number[]): void;
}

/** `answer` is asked about each message, and what it gives is sent; `hang up` ends the connection. */
export async function scriptedDevice(answer: (message: Message, number: number) => readonly Message[] | 'hang up'): Promise<ScriptedDevice> {
  const heard: Message[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = new FrameParser();
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const frame of parser.push(bytes)) {
        const message = decodeMessage(frame);
        const answers = answer(message, heard.push(message));
        if (answers === 'hang up') socket.destroy();
        else for (const one of answers) socket.write(encodeFrame(encodeMessage(one)));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sendBytes = (...bytes: readonly number[]): void => {
    for (const socket of sockets) socket.write(Uint8Array.from(bytes));
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    sendBytes,
    send: (message) => sendBytes(...encodeFrame(encodeMessage(message))),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
