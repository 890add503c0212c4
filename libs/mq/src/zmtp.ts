// The transport over our own ZMTP (libs/zmtp): TCP and Unix sockets without a native module. Peers may be libzmq or this.
// ZMTP heartbeats find a stopped host or a cut line (docs/protocol.md, rules R10, R13, C4).
import { Dealer, EndpointError, Router, type DecoderLimits } from '@majordomus/zmtp';
import type { Frames } from './mdp/frames.ts';
import { TransportError, type DealerEvents, type DealerOptions, type DealerSocket, type RouterEvents, type RouterOptions, type RouterSocket, type Transport } from './transport.ts';

/** No message of the protocol has as many; a body may have several. */
const maxFrames = 1024;
const heartbeat = { intervalMs: 1000, timeoutMs: 5000, ttlMs: 5000 } as const;
/** What a peer that does not read may cost: some of the largest messages. */
const unreadMessages = 4;
const dealerMaxFrameBytes = 64 * 1024 * 1024;

function limitsOf(maxFrameBytes: number): { readonly limits: DecoderLimits; readonly maxUnreadBytes: number } {
  return { limits: { maxFrameBytes, maxFrames, maxMessageBytes: maxFrameBytes }, maxUnreadBytes: unreadMessages * maxFrameBytes };
}

export const zmtpTransport: Transport = {
  async bind(endpoint: string, { maxFrameBytes, highWaterMark }: RouterOptions, events: RouterEvents): Promise<RouterSocket> {
    const { limits, maxUnreadBytes } = limitsOf(maxFrameBytes);
    try {
      const router = await Router.listen(endpoint, { limits, outbox: { maxMessages: highWaterMark, maxBytes: maxUnreadBytes } }, events);
      return {
        endpoint: router.endpoint,
        send: (peer, frames) => {
          // The machine is in the middle of what it does; it is told when it has done it.
          if (!router.send(peer, frames)) queueMicrotask(() => events.unsendable(peer, frames));
        },
        close: () => void router.close(),
      };
    } catch (error) {
      throw transportError(error, ({ code }) => `; ${code === 'ADDRESS_IN_USE' ? 'stop it, or choose' : 'choose'} another address with --bind`);
    }
  },

  connect: (endpoint: string, { highWaterMark, lingerMs }: DealerOptions, events: DealerEvents): DealerSocket => {
    const { limits, maxUnreadBytes } = limitsOf(dealerMaxFrameBytes);
    let isClosed = false;
    const dealer = openDealer(endpoint, { limits, outbox: { maxMessages: highWaterMark, maxBytes: maxUnreadBytes }, heartbeat, lingerMs }, events);
    return {
      send: (frames: Frames) => {
        if (dealer.send(frames)) return;
        queueMicrotask(() => {
          if (!isClosed) events.unsendable(frames);
        });
      },
      close: () => {
        isClosed = true;
        dealer.close();
      },
    };
  },
};

function openDealer(...args: ConstructorParameters<typeof Dealer>): Dealer {
  try {
    return new Dealer(...args);
  } catch (error) {
    throw transportError(error);
  }
}

/** A wrong address in the words of the bus, with what to do; anything else as it is. */
function transportError(error: unknown, whatToDo: (error: EndpointError) => string = () => ''): unknown {
  return error instanceof EndpointError ? new TransportError(error.code, `${error.message}${whatToDo(error)}`, { cause: error }) : error;
}
