"""The Majordomo Protocol, MDP/0.1, in plain Python: a worker and a client of one request.

R is a rule of the broker and W one of the worker in docs/protocol.md. It knows nothing of what the bodies mean.
"""
import time

import zmq

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = (bytes([command]) for command in range(1, 6))
BEAT_S = 1
LIVENESS_S = 5
SETTLE_S = 0.25
LINGER_MS = 1000


def ask(endpoint, service, *body, timeout_s):
    """The body of the reply to one request. Raises TimeoutError if no broker is there to answer."""
    with zmq.Context.instance().socket(zmq.REQ) as client:
        client.linger = 0
        # Nothing is kept for a broker that is away: it would be done after we gave up.
        client.immediate = True
        client.sndtimeo = client.rcvtimeo = int(timeout_s * 1000)
        client.connect(endpoint)
        try:
            # The broker has a little less time, so that its own reason arrives first.
            client.send_multipart([b'MDPC01', service.encode(), str(timeout_s * 0.9).encode(), *body])
            return client.recv_multipart()[2:]
        except zmq.Again:
            raise TimeoutError(f'the broker at {endpoint} does not answer') from None


class Worker:
    """A worker of one service. It is given no capacity (rule R14): requests come one after another."""

    def __init__(self, endpoint, service, answer):
        """`answer` has the body of a request and gives the body of its reply; it never raises."""
        self.endpoint = endpoint
        self.service = service
        self.answer = answer
        self.leaving = False
        self.open()

    def open(self):
        """Registers, each time over a new socket: so an answer goes only where its request came from (rule W5)."""
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        # So each side notices when the other's host is gone.
        self.socket.heartbeat_ivl, self.socket.heartbeat_timeout, self.socket.heartbeat_ttl = 1000, 5000, 5000
        self.socket.connect(self.endpoint)
        self.opened = self.heard = time.monotonic()
        self.send(READY, self.service.encode())

    def reopen(self):
        self.socket.close()
        self.open()

    def send(self, command, *frames):
        self.socket.send_multipart([b'', b'MDPW01', command, *frames])

    def wait(self, files, seconds):
        """Waits for a message and takes it, or for one of the file descriptors: gives those that can be read or are closed."""
        readable, _, closed = zmq.select([self.socket, *files], [], files, max(0, seconds))
        if self.socket in readable:
            self.take()
        return [file for file in files if file in readable + closed]

    def take(self):
        """Reads one message, and answers it if it is a request (rule W3). Gives its command; None for what is no message."""
        frames = self.socket.recv_multipart()
        if frames[0] == b'':
            frames.pop(0)  # Domogik's DISCONNECT has none.
        if len(frames) < 2 or frames[0] != b'MDPW01':
            return None
        self.heard = time.monotonic()
        command, rest = frames[1], frames[2:]
        if command == REQUEST and b'' in rest:
            # The envelope is copied back as it came: all up to the empty frame.
            end = rest.index(b'') + 1
            self.send(REPLY, *rest[:end], *self.answer(rest[end:]))
        elif command == DISCONNECT and not self.leaving and self.heard - self.opened > BEAT_S:
            # The broker has forgotten us (rule R11). One that refuses us at once is tried again only when it is silent.
            self.reopen()
        return command

    def beat(self, late_s):
        """To be called each second; `late_s` after that is time in which we did not listen, so it was no silence."""
        now = time.monotonic()
        self.heard = min(now, self.heard + late_s)
        if now - self.heard > LIVENESS_S:
            self.reopen()
        else:
            self.send(HEARTBEAT)

    def leave(self):
        """Rule W4: nothing new, please; what crossed this is answered. Who has forgotten us says so (rule R11): all is read."""
        self.leaving = True
        self.send(DISCONNECT)
        self.send(HEARTBEAT)
        while zmq.select([self.socket], [], [], SETTLE_S)[0] and self.take() != DISCONNECT:
            pass
        self.socket.close(LINGER_MS)
        zmq.Context.instance().term()
