#!/usr/bin/env python3
"""A real Kafka broker (KRaft, one node) for tests and benchmarks.

As a module:
    with KafkaBroker() as broker:
        broker.bootstrap            # "127.0.0.1:PORT"
        broker.kill(); broker.start()

As a program (for tests that are not Python), it talks on its standard input and output, one line each way:
    kafka_broker.py [--dir DIR] [--heap 512m] [--set name=value]... [--feature name=level]...
    > ready 127.0.0.1:PORT
    stop    > stopped       SIGTERM: the broker closes its log properly
    kill    > killed        SIGKILL
    start   > ready …       again on the same directory and port
    quit, or the end of the input: kill, remove the directory, exit

Every broker has its own directory and ports, and is gone when its harness is gone. Python's standard library only.
"""

import argparse
import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kafka_wire import Reader  # noqa: E402
from process import Process, free_port, wait_until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# One fixed cluster id: the formatted directory is made once per machine and copied, which saves a JVM start per test.
CLUSTER_ID = "d2VpcndlaXJ3ZWlyd2Vpcg"

PROPERTIES = {
    "process.roles": "broker,controller",
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # One broker: nothing can be replicated.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    # Few partitions of the internal topics: a start opens each of them.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # Tests do not wait for members that may still come, and may use short sessions.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    # After kill -9 the controller lets the broker register again only when its old session has ended (default 9 s).
    "broker.session.timeout.ms": "2500",
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.retention.ms": "-1",
}


class BrokerError(Exception):
    pass


def kafka_home():
    """Where the artifacts are; fetches them when they are not there yet."""
    result = subprocess.run([os.path.join(ROOT, "tools", "fetch-kafka")], stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise BrokerError("Kafka could not be fetched (see above)")
    return result.stdout.strip()


class KafkaBroker:
    def __init__(self, directory=None, heap="512m", properties=None, features=None, port=None, node=1, voters=None,
                 ready_timeout_s=60, users_port=None):
        """`features`: levels other than this version's newest, such as {"transaction.version": 1}. `port`: one that is
        free, else it is chosen at the start. `node` is its number, `voters` the controllers' ports by number: one of a
        cluster, see kafka_cluster.py. `users_port`: where it listens for users (TLS and SCRAM-SHA-256) as well, who are
        added by set_password."""
        self._home = kafka_home()
        self._own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="weir-kafka-")
        os.makedirs(self.directory, exist_ok=True)
        self._heap = heap
        self._extra = dict(properties or {})
        self._features = [f"{name}={level}" for name, level in sorted((features or {}).items())]
        self._ready_timeout_s = ready_timeout_s
        self._process = None
        self.port = port
        self.node = node
        self._users_port = users_port
        self._voters = voters or ({node: free_port()} if port else None)

    # The life of a broker. start may be called again after stop or kill: same directory, same port.

    def start(self):
        attempts = 1 if self.port else 3
        for attempt in range(attempts):
            if self.port is None or attempt > 0:
                self.port, self._voters = free_port(), {self.node: free_port()}
            try:
                self.begin()
                return self.wait_ready()
            except BrokerError as error:
                if "Address already in use" not in str(error) or attempt + 1 == attempts:
                    raise
        raise AssertionError("unreachable")

    def begin(self):
        """Starts without waiting: a node of a cluster waits for the others."""
        self._configure()
        self._process = Process(self._command(), os.path.join(self.directory, "broker.log"))

    def wait_ready(self):
        try:
            wait_until(self._ready, self._ready_timeout_s, "the broker answers")
            return self
        except (BrokerError, TimeoutError) as error:
            tail = self._process.log_tail()
            self._process.end(signal.SIGKILL, 10)
            raise BrokerError(f"the Kafka broker did not start: {error}\n{tail}") from None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def users_bootstrap(self):
        return f"127.0.0.1:{self._users_port}"

    @property
    def ca(self):
        """The file with the certificate that it shows to users, who trust no other."""
        return os.path.join(self.directory, "ca.pem")

    def set_password(self, user, password):
        self.tool("kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", "--entity-name", user,
                  "--add-config", f"SCRAM-SHA-256=[password={password}]")

    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process is not None and self._process.running()

    def stop(self):
        """SIGTERM: logs are closed properly. The broker may take a few seconds."""
        if self._process:
            self._process.end(signal.SIGTERM, 60)
            self._process = None

    def kill(self):
        """SIGKILL, as when a machine dies; what the page cache holds survives."""
        if self._process:
            self._process.end(signal.SIGKILL, 10)
            self._process = None

    def close(self):
        self.kill()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def tool(self, name, *arguments):
        """One of Kafka's own tools, by the name of its class, on this broker; what it printed."""
        result = subprocess.run(self._java("256m", ["-XX:TieredStopAtLevel=1", "-Xshare:auto"])
                                + [name, "--bootstrap-server", self.bootstrap, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        if result.returncode != 0:
            raise BrokerError(f"{name} {' '.join(arguments)}:\n{result.stdout}")
        return result.stdout

    def cut_log(self, topic, partition, offset):
        """Of a broker that was killed: takes from a partition what it holds from about this offset on, as if a replica without
        it had become its leader. Cuts no transaction in two. Returns where the partition ends now."""
        directory = os.path.join(self.directory, "data", f"{topic}-{partition}")
        (path,) = glob.glob(os.path.join(directory, "*.log"))
        with open(path, "rb") as log:
            data = log.read()
        at = end = cut = 0
        open_transactions = set()
        while at + 61 <= len(data):
            first, size = struct.unpack_from(">qi", data, at)
            attributes, last = struct.unpack_from(">hi", data, at + 21)
            (producer,) = struct.unpack_from(">q", data, at + 43)
            if size <= 0 or first + last >= offset:
                break
            at += 12 + size
            if attributes & 0x20:  # the end of a transaction
                open_transactions.discard(producer)
            elif attributes & 0x10:
                open_transactions.add(producer)
            if not open_transactions:
                cut, end = at, first + last + 1
        os.truncate(path, cut)
        for index in glob.glob(os.path.join(directory, "*index")):  # made anew
            os.unlink(index)
        return end

    # How it is started.

    def _configure(self):
        properties = dict(PROPERTIES)
        properties.update({
            "node.id": self.node,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._voters[self.node]}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{p}" for n, p in sorted(self._voters.items())),
            "log.dirs": os.path.join(self.directory, "data"),
        })
        if self._users_port:
            for name, value in self._for_users().items():
                properties[name] = f"{properties[name]},{value}" if name in properties else value
        properties.update(self._extra)
        with open(self._properties_path(), "w") as out:
            out.writelines(f"{name}={value}\n" for name, value in properties.items())
        data = os.path.join(self.directory, "data")
        if not os.path.exists(data):
            shutil.copytree(self._formatted(), data)

    def _for_users(self):
        keys = os.path.join(self.directory, "keys.p12")
        if not os.path.exists(keys):
            store = ["-keystore", keys, "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "broker"]
            for command in (["-genkeypair", "-keyalg", "EC", "-dname", "CN=broker", "-ext", "san=ip:127.0.0.1", "-validity", "30"],
                            ["-exportcert", "-rfc", "-file", self.ca]):
                subprocess.run(["keytool", *command, *store], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return {"listeners": f"USERS://{self.users_bootstrap}",
                "advertised.listeners": f"USERS://{self.users_bootstrap}",
                "listener.security.protocol.map": "USERS:SASL_SSL",
                "listener.name.users.sasl.enabled.mechanisms": "SCRAM-SHA-256",
                "listener.name.users.scram-sha-256.sasl.jaas.config":
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;",
                "listener.name.users.ssl.keystore.location": keys,
                "listener.name.users.ssl.keystore.type": "PKCS12",
                "listener.name.users.ssl.keystore.password": "changeit"}

    def _properties_path(self):
        return os.path.join(self.directory, "server.properties")

    def _formatted(self):
        """A freshly formatted storage directory, made by Kafka's own tool the first time."""
        which = ["formatted", *self._features] + ([f"node={self.node}"] if self.node != 1 else [])
        formatted = os.path.join(self._home, "-".join(which))
        if os.path.exists(formatted):
            return formatted
        with tempfile.TemporaryDirectory(dir=self._home) as work:
            config = os.path.join(work, "server.properties")
            fresh = os.path.join(work, "data")
            with open(self._properties_path()) as source, open(config, "w") as out:
                out.write(source.read())
                out.write(f"log.dirs={fresh}\n")
            result = subprocess.run(
                self._java("256m", []) + ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", config]
                + [argument for feature in self._features for argument in ("--feature", feature)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
            if result.returncode != 0:
                raise BrokerError(f"Kafka's storage could not be formatted:\n{result.stdout}")
            try:
                os.rename(fresh, formatted)
            except OSError:  # another test was quicker
                pass
        return formatted

    def _java(self, heap, options):
        return ["java", f"-Xmx{heap}", *options, "-Djava.awt.headless=true",
                f"-Dlog4j2.configurationFile={os.path.join(HERE, 'kafka', 'log4j2.properties')}",
                "-cp", os.path.join(self._home, "libs", "*")]

    def _command(self):
        options = ["-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExplicitGCInvokesConcurrent", "-Xshare:auto"]
        return self._java(self._heap, options) + ["kafka.Kafka", self._properties_path()]

    # Ready means: answers a metadata request and names itself as a node. Listening alone comes seconds earlier.

    def _ready(self):
        if not self._process.running():
            raise BrokerError(f"it ended with exit code {self._process.exit_code()}")
        try:
            return self.node in self.metadata(topics=False)[0]
        except (OSError, struct.error):
            return False

    # What it says of its cluster; OSError when it does not answer.

    def metadata(self, topics=True):
        """(nodes, partitions): the numbers of the nodes it knows, and (topic, partition, leader, replicas, replicas in
        sync) of each partition."""
        # Version 4, no automatic creation; all topics, or none.
        answer = self._ask(3, 4, struct.pack(">i?", -1 if topics else 0, False))
        answer.take("i")  # throttled so long
        nodes = [(answer.take("i"), answer.string(), answer.take("i"), answer.string())[0] for _ in range(answer.array())]
        answer.string(), answer.take("i")  # cluster, controller
        partitions = []
        for _ in range(answer.array()):
            answer.take("h")
            topic = answer.string()
            answer.take("?")
            for _ in range(answer.array()):
                answer.take("h")
                number, leader = answer.take("i"), answer.take("i")
                replicas = [answer.take("i") for _ in range(answer.array())]
                partitions.append((topic, number, leader, replicas, [answer.take("i") for _ in range(answer.array())]))
        return nodes, partitions

    def coordinator(self, name, of_transactions=False):
        """The number of the node that coordinates a group, or a transactional id; -1: none now."""
        key = name.encode()
        answer = self._ask(10, 1, struct.pack(f">h{len(key)}sb", len(key), key, of_transactions))
        answer.take("i"), answer.take("h"), answer.string()
        return answer.take("i")

    def _ask(self, key, version, body):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            request = struct.pack(">hhih5s", key, version, 1, 5, b"tests") + body
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = Reader(self._receive(connection, struct.unpack(">i", self._receive(connection, 4))[0]))
            answer.take("i")  # our number of the request
            return answer

    @staticmethod
    def _receive(connection, size):
        data = b""
        while len(data) < size:
            piece = connection.recv(size - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data


def main():
    parser = argparse.ArgumentParser(description="a real Kafka broker for tests; commands on standard input")
    parser.add_argument("--dir", help="its directory, kept afterwards (default: a temporary one, removed)")
    parser.add_argument("--heap", default="512m")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a broker property")
    parser.add_argument("--feature", action="append", default=[], metavar="NAME=LEVEL", help="level of a feature")
    arguments = parser.parse_args()
    broker = KafkaBroker(arguments.dir, arguments.heap, dict(p.split("=", 1) for p in arguments.set),
                         dict(f.split("=", 1) for f in arguments.feature))

    def terminate(*_):
        raise SystemExit(0)

    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, terminate)
    try:
        broker.start()
        print("ready", broker.bootstrap, flush=True)
        for line in sys.stdin:
            command = line.strip()
            if command == "stop":
                broker.stop()
                print("stopped", flush=True)
            elif command == "kill":
                broker.kill()
                print("killed", flush=True)
            elif command == "start":
                broker.start()
                print("ready", broker.bootstrap, flush=True)
            elif command == "quit":
                break
            else:
                print("error unknown command", command, flush=True)
    except BrokerError as error:
        print("error", str(error).replace("\n", " | "), flush=True)
        return 1
    finally:
        broker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
