"""The crash pipeline at work on a broker of the test's, with orders that are numbered: what the tests of single faults begin
with and end with."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import steps  # noqa: E402
from harness import BUILD, Kafka, Peer, Pipeline, until  # noqa: E402

OUTPUTS = ("priced.input", "priced.key", "priced.none", "by.account", "by.symbol", "lost")


class UnderWay(unittest.TestCase):
    def prepare(self, broker, orders):
        """Topics on a broker that runs, and a service that knows so many orders."""
        self.broker, self.written = broker, 0
        self.addCleanup(broker.close)
        self.kafka = Kafka(broker)
        for topic in ("orders", *OUTPUTS):
            self.kafka.create(topic, 1)
        quotes = os.path.join(self.new_directory(), "quotes.ndjson")
        with open(quotes, "w") as out:
            out.writelines(f'{{"id": {i}, "price": "1.5"}}\n' for i in range(orders))
        self.peer = Peer("--data", quotes)
        self.addCleanup(self.peer.close)

    def new_directory(self):
        directory = tempfile.mkdtemp(prefix="weir-under-way-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        return directory

    def copy(self, *arguments, directory=None, environment=None):
        """A copy of the pipeline that does not run yet."""
        directory = directory or self.new_directory()
        pipeline = Pipeline(os.path.join(BUILD, "tests", "crash", "crash_program"), directory, "--set",
                            f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}", *arguments,
                            environment={**steps.environment(directory), **(environment or {})})
        self.addCleanup(pipeline.kill)
        return pipeline

    def orders(self, count, topic="orders"):
        """The next so many, as records."""
        first, self.written = self.written, self.written + count
        return ({"topic": topic, "key": "A",
                 "value": json.dumps({"id": i, "account": "A", "symbol": "S", "qty": 1, "ts": i})}
                for i in range(first, first + count))

    def write(self, count):
        self.kafka.write(self.orders(count))

    def write_slowly(self, count, rate):
        writer = self.kafka.write_slowly(self.orders(count), rate)
        self.addCleanup(writer.kill)
        return writer

    def came_out(self):
        return [json.loads(record["value"])["id"] for record in self.kafka.read("priced.none")]

    def until_some_came_out(self, more_than):
        until(lambda: self.kafka.count("priced.none") > more_than, 60, "orders come out")

    def until_read(self, offset=None):
        wanted = [self.written if offset is None else offset]
        until(lambda: self.kafka.committed("crash", "orders", 1) == wanted, 60, "all orders are read")

    def ends_with(self, pipeline, code, *words, timeout_s=60):
        try:
            self.assertEqual(pipeline.process.wait(timeout_s), code, pipeline.log()[-3000:])
        except subprocess.TimeoutExpired:
            self.fail(f"it runs on after {timeout_s} s:\n{pipeline.log()[-6000:]}\n{self.kafka.members('crash')}")
        for word in words:
            self.assertTrue(word in pipeline.log(), f"not in the log: {word}\n{pipeline.log()[-3000:]}")

    def stops(self, pipeline):
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])

    def all_came_out_once(self):
        self.assertEqual(sorted(self.came_out()), list(range(self.written)))
