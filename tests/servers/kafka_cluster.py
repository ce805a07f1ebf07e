"""Three real Kafka brokers on loopback, each a controller of one quorum: every topic is on all of them, and two have to have
what is acknowledged. Nodes can be stopped, killed and started one by one. Python's standard library only.
"""

import os
import shutil
import tempfile

from kafka_broker import BrokerError, KafkaBroker
from process import free_port, wait_until

REPLICAS = {
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    # A stop moves leaders away before it ends; a node that came back gets none until others go.
    "auto.leader.rebalance.enable": "false",
    "replica.lag.time.max.ms": 3000,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1000,
}
IN_SYNC_S = 60


class KafkaCluster:
    def __init__(self, directory=None, heap="384m", properties=None):
        self._own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="weir-kafka-")
        numbers = (1, 2, 3)
        voters = {node: free_port() for node in numbers}
        properties = {**REPLICAS, **(properties or {})}
        self.nodes = {node: KafkaBroker(os.path.join(self.directory, f"node-{node}"), heap, properties, port=free_port(),
                                        node=node, voters=voters) for node in numbers}

    @property
    def bootstrap(self):
        return ",".join(node.bootstrap for node in self.nodes.values())

    def start(self):
        try:
            for node in self.nodes.values():
                node.begin()
            for node in self.nodes.values():
                node.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def coordinator(self, name, of_transactions=False):
        """The node that coordinates a group, or a transactional id."""
        def found():
            for node in self.nodes.values():
                if not node.running():
                    continue
                try:
                    number = node.coordinator(name, of_transactions)
                except OSError:
                    continue
                if number in self.nodes:
                    return self.nodes[number]
            return None
        return wait_until(found, IN_SYNC_S, f"somebody coordinates {name}", pause_s=0.1)

    def wait_in_sync(self):
        """Until all nodes are there and have all that is written: then one of them may go."""
        behind = []

        def in_sync():
            nonlocal behind
            for node in self.nodes.values():
                try:
                    nodes, partitions = node.metadata()
                except OSError as error:
                    behind = [f"node {node.node}: {error}"]
                    return False
                behind = [f"{topic}/{number} on {replicas} is in sync on {in_sync}"
                          for topic, number, _, replicas, in_sync in partitions if len(in_sync) < len(replicas)]
                if behind or len(nodes) < len(self.nodes):
                    return False
            return True

        try:
            wait_until(in_sync, IN_SYNC_S, "all nodes are in sync", pause_s=0.2)
        except TimeoutError as error:
            raise BrokerError(f"{error}: {', '.join(behind[:5])}") from None

    def close(self):
        for node in self.nodes.values():
            node.close()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
