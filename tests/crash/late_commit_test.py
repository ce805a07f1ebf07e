#!/usr/bin/env python3
"""A whole pipeline on a real broker whose commit arrives a second time, in its next transaction, in the middle of which it
is killed: the hazard of KIP-890. With the commit protocol as it is, all comes out once; with a producer that goes on as if
nothing had been, that transaction's outputs and state are there and its offsets are not, which the next start refuses.
"""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import passed_cases  # noqa: E402
import steps  # noqa: E402
from harness import until  # noqa: E402
from late_broker import LateBroker  # noqa: E402
from under_way import UnderWay  # noqa: E402

ORDERS = 2000
RATE = 500


class LateCommit(UnderWay):
    def under_way(self, *arguments, wrong=""):
        """(pipeline, writer): a pipeline that has published some of the orders that are written."""
        self.prepare(LateBroker().start(), ORDERS)
        pipeline = self.copy(*arguments, environment={"WEIR_WRONG": wrong}).start()
        writer = self.write_slowly(ORDERS, RATE)
        self.until_some_came_out(RATE)
        return pipeline, writer

    def torn(self, wrong):
        """A pipeline that was killed in the transaction in which the last commit came late, and what the broker said to
        that; it is to be started again."""
        pipeline, writer = self.under_way(wrong=wrong)
        self.broker.proxy.hold("EndTxn", before="AddOffsetsToTxn",
                               first=lambda: steps.arm(pipeline.directory, "kill", "transaction.offsets_sent"))
        self.ends_with(pipeline, -signal.SIGKILL)
        self.assertEqual(writer.wait(60), 0)
        return pipeline, self.broker.proxy.delivered

    def test_a_late_commit_is_refused(self):
        pipeline, said = self.torn("")
        self.assertIn(said, ("INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"))
        pipeline.start()
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()

    def test_without_a_new_producer_it_shows_what_is_not_committed(self):
        pipeline, said = self.torn("producer kept")
        self.assertEqual(said, "none")
        # The next start reads the offsets, and finds the state ahead of them.
        pipeline.start(wait_ready=False)
        self.ends_with(pipeline, 3, "the state belongs to")

    def test_a_stop_ends_though_the_broker_went_away_with_the_offsets(self):
        pipeline, writer = self.under_way("--grace", "1s")
        broker = self.broker.broker
        self.broker.proxy.hold("TxnOffsetCommit", lost=broker.kill)
        until(lambda: not broker.running(), 60, "offsets are on their way")
        self.assertEqual(pipeline.stop(), 4, pipeline.log()[-3000:])
        self.assertIn("without its last commit", pipeline.log())
        broker.start()
        self.assertEqual(writer.wait(60), 0)
        pipeline.start()
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()


if __name__ == "__main__":
    passed_cases.main()
