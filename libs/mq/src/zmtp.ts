// The transport over our own ZMTP (libs/zmtp): TCP and Unix sockets without a native module. Peers may be libzmq or this.
// ZMTP heartbeats find a stopped host or a cut line (docs/protocol.md, rules R10, R13, C4).
import { Dealer, Router, type DecoderLimits, type EndReason } from '@majordomus/zmtp';
import { transportError, type DealerEvents, type DealerOptions, type DealerSocket, type RouterEvents, type RouterOptions, type RouterSocket, type Transport } from './transport.ts';

/** Of a message, its body included (docs/protocol.md, rules R3, R13); no message of the house has as many. */
const maxFrames = 1024;
/** More than the broker puts before a body. */
const maxHeadFrames = 16;
const heartbeat = { intervalMs: 1000, timeoutMs: 5000, ttlMs: 5000 } as const;
/** What a peer that does not read may cost the broker: some of the largest messages. */
const unreadMessages = 4;
/** What all peers together may cost it beside the requests that wait. */
const largestMessages = 8;
/** The broker decides how large a message is; what it passes on, its peers take. */
const fromBroker = { maxFrameBytes: 2 ** 30, maxFrames: maxFrames + maxHeadFrames, maxMessageBytes: 2 ** 30 } as const;
const maxUnreadByBrokerBytes = 2 ** 28;
const nothing: readonly Buffer[] = [];

export const zmtpTransport: Transport = {
  async bind(endpoint: string, { maxFrameBytes, highWaterMark, maxConnections = Infinity }: RouterOptions, events: RouterEvents): Promise<RouterSocket> {
    const limits: DecoderLimits = { maxFrameBytes, maxFrames, maxMessageBytes: maxFrameBytes };
    let isClosed = false;
    try {
      const router = await Router.listen(endpoint, { limits, outbox: { maxMessages: highWaterMark, maxBytes: unreadMessages * maxFrameBytes }, maxHeldBytes: largestMessages * maxFrameBytes, maxConnections }, withReason(events));
      return {
        endpoint: router.endpoint,
        send: (message) => {
          if (router.forward(message.peer, message.head, message.body?.pieces ?? nothing)) return;
          // The machine is in the middle of what it does; it is told when it has done it.
          queueMicrotask(() => {
            if (!isClosed) events.unsendable(message);
          });
        },
        close: () => {
          isClosed = true;
          void router.close();
        },
      };
    } catch (error) {
      throw transportError(error, ({ code }) => `; ${code === 'ADDRESS_IN_USE' ? 'stop it, or choose' : 'choose'} another address with --bind`);
    }
  },

  connect: (endpoint: string, { highWaterMark, lingerMs }: DealerOptions, events: DealerEvents): DealerSocket => {
    let isClosed = false;
    const dealer = openDealer(endpoint, { limits: fromBroker, outbox: { maxMessages: highWaterMark, maxBytes: maxUnreadByBrokerBytes }, heartbeat, lingerMs }, withReason(events));
    return {
      send: (message) => {
        if (dealer.send(message.body, message.head)) return;
        const why = dealer.isConnected ? 'full' : 'closed';
        queueMicrotask(() => {
          if (!isClosed) events.unsendable(message, why);
        });
      },
      close: () => {
        isClosed = true;
        dealer.close();
      },
    };
  },
};

/** The same events; the reason for an end as text for a person. */
function withReason<E extends { ended?(why: string): void }>(events: E): Omit<E, 'ended'> & { ended(reason: EndReason, detail: string): void } {
  return { ...events, ended: (reason, detail) => events.ended?.(detail === '' ? reason : `${reason}: ${detail}`) };
}

function openDealer(...args: ConstructorParameters<typeof Dealer>): Dealer {
  try {
    return new Dealer(...args);
  } catch (error) {
    throw transportError(error);
  }
}
