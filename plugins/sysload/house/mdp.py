"""The Majordomo Protocol, MDP/0.1, in plain Python: a worker and a client of one request.

R is a rule of the broker and W one of the worker in docs/protocol.md. It knows nothing of what the bodies mean.
"""
import time

import zmq

READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = (bytes([command]) for command in range(1, 6))
BEAT_S = 1
LIVENESS_S = 5
# The frame after DISCONNECT that says that a newer instance has the service now (rule R15).
SUPERSEDED = b'superseded'
SETTLE_S = 0.25
LINGER_MS = 1000
# How often who waits for an answer says that it is alive.
ASK_STEP_S = 0.25


def ask(endpoint, service, *body, timeout_s, alive):
    """The body of the reply to one request. Calls `alive` while it waits. Raises TimeoutError if no broker is there to answer."""
    due = time.monotonic() + timeout_s
    with zmq.Context.instance().socket(zmq.REQ) as client:
        client.linger = 0
        # Nothing is kept for a broker that is away: it would be done after we gave up.
        client.immediate = True
        client.sndtimeo = client.rcvtimeo = 0
        client.connect(endpoint)

        def wait(event):
            while time.monotonic() < due and not client.poll(ASK_STEP_S * 1000, event):
                alive()

        try:
            wait(zmq.POLLOUT)
            # The broker has a little less time, so that its own reason arrives first.
            client.send_multipart([b'MDPC01', service.encode(), str(timeout_s * 0.9).encode(), *body])
            wait(zmq.POLLIN)
            return client.recv_multipart()[2:]
        except zmq.Again:
            raise TimeoutError(f'the broker at {endpoint} does not answer') from None


class Superseded(Exception):
    """A newer instance of the service runs: this one must end, and says nothing more."""


class Worker:
    """A worker of one service. It is given no capacity (rule R14): requests come one after another.

    `wait` and `beat` raise Superseded when a newer instance has taken the service over.
    """

    def __init__(self, endpoint, service, answer, epoch=''):
        """`answer` has the body of a request and gives the body of its reply; it never raises."""
        self.endpoint = endpoint
        self.service = service
        self.answer = answer
        # In READY the epoch stands after the capacity, which is left empty.
        self.instance = [b'', epoch.encode()] if epoch else []
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
        self.send(READY, self.service.encode(), *self.instance)

    def reopen(self):
        self.socket.close()
        self.open()

    def send(self, command, *frames):
        self.socket.send_multipart([b'', b'MDPW01', command, *frames])

    def wait(self, files, seconds):
        """Waits for messages and takes them, or for one of the file descriptors: gives those that can be read or are closed."""
        due = time.monotonic() + max(0, seconds)
        readable, _, closed = zmq.select([self.socket, *files], [], files, max(0, seconds))
        late = time.monotonic() - due
        if late > LIVENESS_S:
            # We did not run, and the connection has been given up: nobody waits any more for what had arrived by then.
            self.reopen()
        elif self.socket in readable:
            if late > BEAT_S:
                # We did not run: what has come meanwhile is all there in a moment.
                time.sleep(0.05)
            self.take_all()
        return [file for file in files if file in readable + closed]

    def take_all(self):
        """Reads what has come, and acts on it; not on what came before a DISCONNECT: nobody waits for that any more."""
        socket, messages = self.socket, []
        while socket.poll(0):
            messages.append(self.receive())
        ends = [i for i, (command, _) in enumerate(messages) if command == DISCONNECT]
        for command, rest in messages[ends[-1] if ends else 0:]:
            if self.socket is socket:
                self.act(command, rest)

    def receive(self):
        """Reads one message: its command, None for what is no message, and the frames after it."""
        frames = self.socket.recv_multipart()
        if frames[0] == b'':
            frames.pop(0)  # Domogik's DISCONNECT has none.
        if len(frames) < 2 or frames[0] != b'MDPW01':
            return None, []
        self.heard = time.monotonic()
        return frames[1], frames[2:]

    def act(self, command, rest):
        """Answers a request (rule W3), and begins anew when the broker says so. Gives the command."""
        if command == REQUEST and b'' in rest:
            # The envelope is copied back as it came: all up to the empty frame.
            end = rest.index(b'') + 1
            self.send(REPLY, *rest[:end], *self.answer(rest[end:]))
        elif command == DISCONNECT and rest == [SUPERSEDED]:
            self.socket.close(0)
            raise Superseded
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
        try:
            while zmq.select([self.socket], [], [], SETTLE_S)[0] and self.act(*self.receive()) != DISCONNECT:
                pass
        except Superseded:
            pass
        self.socket.close(LINGER_MS)
        zmq.Context.instance().term()
