#!/usr/bin/env python3
"""A real Kafka broker whose clients reach it through a proxy that can make a request of a transaction or a group late.

What it is told to hold is not passed on: the client's connection is closed instead, as when a network loses it, and the
client sends the request again. The copy that was held is delivered when the test says so, in a transaction of the same
producer that did not exist when it was sent: the hazard that KIP-890 describes; or in a membership that did not. Nothing
depends on time.

A test may also cut the connection of a client at a request, or at the answer to it.

It can also make the broker look older: it takes newer versions of requests out of what the broker says it answers.

As a program it talks on its standard input and output, one line each way:
    late_broker.py [--feature name=level]...
    > ready 127.0.0.1:PORT          the proxy; the broker names it to its clients as its own address
    hold REQUEST                    > armed             the next one is held: EndTxn, TxnOffsetCommit, …
    deliver                         > delivered NAME    as soon as one is held and its copy was answered; the broker's error
    count REQUEST                   > NUMBER            of those passed on so far
    quit, or the end of the input

Python's standard library only.
"""

import argparse
import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kafka_broker import BrokerError, KafkaBroker  # noqa: E402
from kafka_wire import Reader  # noqa: E402
from process import free_port  # noqa: E402

# name: (key, the first version in the flexible encoding). All have the transactional id, or the group, first.
REQUESTS = {
    "Produce": (0, 9),
    "JoinGroup": (11, 6),
    "InitProducerId": (22, 2),
    "AddPartitionsToTxn": (24, 3),
    "AddOffsetsToTxn": (25, 3),
    "EndTxn": (26, 3),
    "TxnOffsetCommit": (28, 3),
}
NAMES = {key: name for name, (key, _) in REQUESTS.items()}
ERRORS = {0: "none", 46: "DUPLICATE_SEQUENCE_NUMBER", 47: "INVALID_PRODUCER_EPOCH", 48: "INVALID_TXN_STATE",
          49: "INVALID_PRODUCER_ID_MAPPING", 51: "CONCURRENT_TRANSACTIONS", 90: "PRODUCER_FENCED",
          120: "TRANSACTION_ABORTABLE"}
ANSWER_S = 30
API_VERSIONS = 18


def with_versions_at_most(frame, flexible, newest):
    """The broker's answer to ApiVersions, with no newer versions of these requests ({key: version})."""
    reader = Reader(frame)
    reader.take("i")
    if reader.take("h") != 0:
        return frame  # the client asked in too new a version, and asks again
    out = bytearray(frame)
    for _ in range(reader.array(flexible)):
        key = reader.take("h")
        reader.take("h")
        struct.pack_into(">h", out, reader.at, min(reader.take("h"), newest.get(key, 32767)))
        if flexible:
            reader.tags()
    return bytes(out)


class Request:
    """The head of a request, and whose it is where it says so: a transactional id, or a group."""

    def __init__(self, frame):
        reader = Reader(frame)
        self.frame = frame
        self.key, self.version, self.correlation = reader.take("h"), reader.take("h"), reader.take("i")
        self.name = NAMES.get(self.key)
        self.asks_versions = self.key == API_VERSIONS
        self.client = self.whose = None
        if self.name is None:
            return
        self.flexible = self.version >= REQUESTS[self.name][1]
        self.client = reader.string(False)
        if self.flexible:
            reader.tags()
        if not (self.name == "AddPartitionsToTxn" and self.version >= 4):
            self.whose = reader.string(self.flexible)

    def error_of(self, answer):
        """The first error in the broker's answer to it."""
        reader = Reader(answer)
        reader.take("i")
        if self.flexible:
            reader.tags()
        if self.name != "Produce":
            reader.take("i")  # throttled so long
        if self.name in ("Produce", "TxnOffsetCommit", "AddPartitionsToTxn"):
            reader.array(self.flexible)
            reader.string(self.flexible)
            reader.array(self.flexible)
            reader.take("i")  # the partition
        code = reader.take("h")
        return ERRORS.get(code, str(code))


def read_frame(connection):
    """None: the other side closed the connection."""
    data = b""
    need = 4
    while len(data) < need:
        piece = connection.recv(need - len(data) if need > 4 else 4 - len(data))
        if not piece:
            return None
        data += piece
        if len(data) == 4 and need == 4:
            need += struct.unpack(">i", data)[0]
    return data[4:]


def write_frame(connection, frame):
    connection.sendall(struct.pack(">i", len(frame)) + frame)


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


class Proxy:
    def __init__(self, port, broker_port, newest=None):
        self._broker = ("127.0.0.1", broker_port)
        self._newest = newest or {}  # version, by key of request
        self._changed = threading.Condition()
        self._hold = None          # name of what is held next
        self._held = None          # the request that is
        self._answered = False     # its copy, which the client sent again, was
        self._after = 0            # how many of that name are passed on before
        self._lost = None          # called when it was held, before its client learns of it
        self._before = None        # it is delivered before the next request of this name, …
        self._first = None         # … after this was called
        self.delivered = None      # what the broker said to it then
        self._forget = None        # name of what is forgotten next
        self._passed = {}          # by name
        self.cut = None            # called with a request and whether it is its answer, before that is passed on; True: it is
                                   # not, and the client's connection is closed. From any thread
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, name, before=None, first=None, after=0, lost=None):
        """Holds the next request of this name, or the one behind the next `after`. It is delivered by deliver(), or before the first request called `before`
        that its client sends after its copy was answered; then `first` is called first. `lost` is called as soon as it is
        held, before its client's connection is closed."""
        with self._changed:
            self._hold, self._held, self._answered = name, None, False
            self._after, self._lost = after, lost
            self._before, self._first, self.delivered = before, first, None

    def forget(self, name):
        """The next request of this name is neither passed on nor answered; its client's connection stays."""
        with self._changed:
            self._forget = name

    def deliver(self):
        """What was held goes to the broker, which has answered its copy; returns the broker's error."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._answered, ANSWER_S):
                raise BrokerError("nothing was held" if self._held is None else "what was held was not sent again")
            held, self._held, self._answered = self._held, None, False
        with socket.create_connection(self._broker, timeout=ANSWER_S) as connection:
            write_frame(connection, held.frame)
            answer = read_frame(connection)
        if answer is None:
            raise BrokerError("the broker closed the connection on what was held")
        return held.error_of(answer)

    def passed(self, name):
        with self._changed:
            return self._passed.get(name, 0)

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            broker = socket.create_connection(self._broker)
        except OSError:
            close(client)
            return
        for connection in (client, broker):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        copies = set()  # correlation ids, on this connection, of copies of what is held
        asked = {}      # of questions for versions: whether they are in the flexible encoding
        open_ = {}      # requests without an answer, by correlation id
        threading.Thread(target=self._serve_answers, args=(client, broker, copies, asked, open_), daemon=True).start()
        try:
            while (frame := read_frame(client)) is not None:
                request = Request(frame)
                if self.cut and self.cut(request, False):
                    break
                if self._forgets(request):
                    continue
                open_[request.correlation] = request
                if request.asks_versions:
                    asked[request.correlation] = request.version >= 3
                if self._is_due_before(request):
                    if self._first:
                        self._first()
                    self.delivered = self.deliver()
                if self._passes(request, copies):
                    write_frame(broker, frame)
                else:
                    if self._lost:
                        self._lost()
                    break
        except OSError:
            pass
        close(client)
        close(broker)

    def _forgets(self, request):
        with self._changed:
            if request.name is None or request.name != self._forget:
                return False
            self._forget = None
            return True

    def _is_due_before(self, request):
        with self._changed:
            due = self._answered and (request.name, request.whose) == (self._before, self._held.whose)
            if due:
                self._before = None
            return due

    def _passes(self, request, copies):
        if request.name is None or request.whose is None:
            return True
        with self._changed:
            if self._hold == request.name and self._after > 0:
                self._after -= 1
            elif self._hold == request.name:
                self._hold, self._held = None, request
                return False
            held = self._held
            if held is not None and (held.name, held.whose) == (request.name, request.whose):
                copies.add(request.correlation)
            self._passed[request.name] = self._passed.get(request.name, 0) + 1
            return True

    def _serve_answers(self, client, broker, copies, asked, open_):
        try:
            while (frame := read_frame(broker)) is not None:
                correlation = struct.unpack_from(">i", frame)[0]
                request = open_.pop(correlation, None)
                if self.cut and request is not None and self.cut(request, True):
                    break
                if correlation in asked:
                    frame = with_versions_at_most(frame, asked.pop(correlation), self._newest)
                write_frame(client, frame)
                if correlation in copies:
                    with self._changed:
                        copies.discard(correlation)
                        self._answered = self._held is not None
                        self._changed.notify_all()
        except OSError:
            pass
        close(client)
        close(broker)


class LateBroker:
    def __init__(self, features=None, newest=None, directory=None):
        """`newest`: versions of requests beyond these, by key, it says it does not answer."""
        self.port = free_port()
        address = f"PLAINTEXT://127.0.0.1:{self.port}"
        self.broker = KafkaBroker(directory, features=features, properties={"advertised.listeners": address}, port=free_port())
        # There first: the broker reaches itself by the address that it names.
        self.proxy = Proxy(self.port, self.broker.port, newest)

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.broker.start()
        return self

    def close(self):
        self.broker.close()


def main():
    parser = argparse.ArgumentParser(description="a real Kafka broker behind a proxy that makes requests late")
    parser.add_argument("--feature", action="append", default=[], metavar="NAME=LEVEL", help="level of a feature")
    late = LateBroker(dict(f.split("=", 1) for f in parser.parse_args().feature))
    try:
        late.start()
        print("ready", late.bootstrap, flush=True)
        for line in sys.stdin:
            command, _, name = line.strip().partition(" ")
            if command == "quit":
                break
            if name and name not in REQUESTS:
                print("error there is no request", name, flush=True)
            elif command == "hold":
                late.proxy.hold(name)
                print("armed", flush=True)
            elif command == "deliver":
                print("delivered", late.proxy.deliver(), flush=True)
            elif command == "count":
                print(late.proxy.passed(name), flush=True)
            else:
                print("error unknown command", command, flush=True)
    except BrokerError as error:
        print("error", str(error).replace("\n", " | "), flush=True)
        return 1
    finally:
        late.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
