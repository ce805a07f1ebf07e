#!/usr/bin/env python3
"""A whole pipeline on a real broker whose commit arrives a second time, in its next transaction, in the middle of which it
is killed: the hazard of KIP-890. With the commit protocol as it is, all comes out once; with a producer that goes on as if
nothing had been, that transaction's outputs and state are there and its offsets are not, which the next start refuses.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import passed_cases  # noqa: E402
import steps  # noqa: E402
from harness import BUILD, Kafka, Peer, Pipeline, until  # noqa: E402
from late_broker import LateBroker  # noqa: E402

ORDERS = 2000
RATE = 500


class LateCommit(unittest.TestCase):
    def under_way(self, *arguments, wrong=""):
        """(broker, directory, pipeline, writer): a pipeline that has published some of the orders that are written."""
        directory = tempfile.mkdtemp(prefix="weir-late-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        quotes = os.path.join(directory, "quotes.ndjson")
        with open(quotes, "w") as out:
            out.writelines(f'{{"id": {i}, "price": "1.5"}}\n' for i in range(ORDERS))
        peer = Peer("--data", quotes)
        self.addCleanup(peer.close)
        broker = LateBroker().start()
        self.addCleanup(broker.close)
        self.kafka = Kafka(broker)
        for topic in ("orders", "priced.input", "priced.key", "priced.none", "by.account", "by.symbol", "lost"):
            self.kafka.create(topic, 1)
        pipeline = Pipeline(os.path.join(BUILD, "tests", "crash", "crash_program"), directory, "--set",
                            f"brokers={broker.bootstrap}", "--set", f"url={peer.url}", *arguments,
                            environment={**steps.environment(directory), "WEIR_WRONG": wrong})
        self.addCleanup(pipeline.kill)
        pipeline.start()
        writer = self.kafka.write_slowly(
            ({"topic": "orders", "key": "A",
              "value": json.dumps({"id": i, "account": "A", "symbol": "S", "qty": 1, "ts": i})} for i in range(ORDERS)), RATE)
        until(lambda: self.kafka.count("priced.none") > RATE, 60, "orders come out")
        return broker, directory, pipeline, writer

    def torn(self, wrong):
        """A pipeline that was killed in the transaction in which the last commit came late, and what the broker said to
        that; it is to be started again."""
        broker, directory, pipeline, writer = self.under_way(wrong=wrong)
        broker.proxy.hold("EndTxn", before="AddOffsetsToTxn",
                          first=lambda: steps.arm(directory, "kill", "transaction.offsets_sent"))
        self.assertEqual(pipeline.process.wait(60), -signal.SIGKILL, pipeline.log()[-3000:])
        self.assertEqual(writer.wait(60), 0)
        return pipeline, broker.proxy.delivered

    def came_out(self):
        return [json.loads(record["value"])["id"] for record in self.kafka.read("priced.none")]

    def test_a_late_commit_is_refused(self):
        pipeline, said = self.torn("")
        self.assertIn(said, ("INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"))
        pipeline.start()
        until(lambda: self.kafka.committed("crash", "orders", 1) == [ORDERS], 60, "all orders are read")
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        self.assertEqual(sorted(self.came_out()), list(range(ORDERS)))

    def test_without_a_new_producer_it_shows_what_is_not_committed(self):
        pipeline, said = self.torn("producer kept")
        self.assertEqual(said, "none")
        # The next start reads the offsets, and finds the state ahead of them.
        pipeline.start(wait_ready=False)
        self.assertEqual(pipeline.process.wait(60), 3, pipeline.log()[-3000:])
        self.assertIn("the state belongs to", pipeline.log())

    def test_a_stop_ends_though_the_broker_went_away_with_the_offsets(self):
        broker, _, pipeline, writer = self.under_way("--grace", "1s")
        broker.proxy.hold("TxnOffsetCommit", lost=broker.broker.kill)
        until(lambda: not broker.broker.running(), 60, "offsets are on their way")
        self.assertEqual(pipeline.stop(), 4, pipeline.log()[-3000:])
        self.assertIn("without its last commit", pipeline.log())
        broker.broker.start()
        self.assertEqual(writer.wait(60), 0)
        pipeline.start()
        until(lambda: self.kafka.committed("crash", "orders", 1) == [ORDERS], 60, "all orders are read")
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        self.assertEqual(sorted(self.came_out()), list(range(ORDERS)))


if __name__ == "__main__":
    passed_cases.main()
