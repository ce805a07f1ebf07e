"""What came out of the crash rounds, read as committed, against what had to."""

import json
import os
import re
import subprocess
from collections import Counter

from harness import BUILD
from orders import canonical, decoded
from covered import PRICED
from outputs import differences


def letter(record):
    """((step, reason), bytes) of a dead letter."""
    headers = dict(record["headers"])
    return (headers["weir.step"].split(".")[0], headers["weir.reason"]), record["value"]


class Published:
    def __init__(self, broker, at_least_once):
        self._broker, self._at_least_once = broker, at_least_once
        self.repeats = 0

    def read(self, topic):
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        with subprocess.Popen([tool, self._broker.bootstrap, "read", topic], stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                yield json.loads(line)
        if process.returncode != 0:
            raise RuntimeError(f"{topic} could not be read")

    def rows(self, topic, name, key_of):
        """(key, (id or start, hash)) of each record, partition by partition in order."""
        for record in self.read(topic):
            fields = decoded(record["value"])
            key = key_of(record, fields)
            yield key, (int(fields[name]) if name == "id" else fields[name], canonical(fields))

    def come_out(self, topic):
        """How many records are there; those that came again count once."""
        return len({letter(record) if topic == "lost" else record["value"] for record in self.read(topic)})

    def problems(self, model, grows, covered):
        """All that is lost, different, out of its place, or there again and may not be, in words. `grows`: the orders' topic
        got partitions."""
        problems = []

        def compare(topic, expected, actual, order):
            found = differences(expected, actual, order=order, duplicates=self._at_least_once)
            problems.extend(f"{topic}: {problem}" for problem in found)
            repeats = sum((Counter(actual) - Counter(expected)).values())
            self.repeats += repeats
            again = f", {repeats} of them again" if self._at_least_once else ""
            print(f"{topic}: {len(expected)} expected, {len(actual)} there{again}, {len(found)} differences", flush=True)

        def by_key(record, fields):
            return record["key"]

        # A key moves to another partition when there are more of them; order is that of a partition.
        read_at, written_at = {}, {}
        for record in self.read("orders"):
            match = re.match(r'{"id": (\d+)', record["value"])
            read_at[int(match[1])] = record["partition"], record["offset"]
        for record in self.read("priced.input"):
            written_at[record["key"]] = record["partition"]
        by_partition = [(read_at[row[0]][0], (key, row)) for key, row in model.priced]

        def placed(topic):
            return [(read_at[row[0]][0], (key, row)) for key, row in self.rows(topic, "id", by_key)]

        def of_keys(rows):
            return [((partition, key), row) for partition, (key, row) in rows]

        def of_partitions(rows):
            return [((partition, written_at.get(key)), row) for partition, (key, row) in rows]

        compare("priced.key", of_keys(by_partition), of_keys(placed("priced.key")), "key")
        # `order input` is the order of each partition of the orders.
        compare("priced.input", of_partitions(by_partition), of_partitions(placed("priced.input")), "key")
        compare("priced.none", model.priced, list(self.rows("priced.none", "id", lambda record, f: f["account"])), "none")
        if not grows:
            compare("by.account", model.by_account, list(self.rows("by.account", "start", by_key)), "key")
        compare("by.symbol", model.by_symbol, list(self.rows("by.symbol", "start", by_key)), "key")
        compare("lost", model.lost, [letter(record) for record in self.read("lost")], "none")
        for topic in PRICED if self._at_least_once else ():
            problems += [f"{topic}: {problem}" for problem in covered.problems(topic, self.read(topic), read_at)]
        return problems
