#!/usr/bin/env python3
"""A whole pipeline whose own request to join its group arrives late, behind the one that was sent in its place, and takes
its place in the group: that is no other process, and it goes on. Another process with its identity is one."""

import os
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import passed_cases  # noqa: E402
from harness import until  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from late_broker import LateBroker  # noqa: E402
from under_way import UnderWay  # noqa: E402

ORDERS = 1000
SESSION = ("--kafka.session.timeout.ms=6000", "--kafka.heartbeat.interval.ms=500")
REFUSED = "another process runs with the identity of this one's state directory"


class Membership(UnderWay):
    def test_a_late_request_to_join_is_no_other_process(self):
        self.prepare(LateBroker().start(), ORDERS)
        self.broker.proxy.hold("JoinGroup")
        pipeline = self.copy(*SESSION).start()
        self.write(ORDERS // 2)
        self.until_read()
        self.assertEqual(self.broker.proxy.deliver(), "none")
        until(lambda: "it joins again" in pipeline.log(), 30, "the late request took its place")
        self.write(ORDERS // 2)
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()

    def test_a_request_to_join_that_the_broker_forgot_is_made_again(self):
        self.prepare(LateBroker().start(), ORDERS)
        self.broker.proxy.forget("JoinGroup")
        pipeline = self.copy(*SESSION).start(wait_ready=False)
        until(lambda: "no answer to its request to join for 6 s; it asks again" in pipeline.log(), 30, "it asks again")
        self.write(ORDERS // 2)
        self.until_read()
        # One that holds partitions, and lost them.
        self.broker.proxy.forget("JoinGroup")
        pipeline.process.send_signal(signal.SIGSTOP)
        until(lambda: not self.kafka.members("crash"), 30, "its session has ended")
        pipeline.process.send_signal(signal.SIGCONT)
        until(lambda: pipeline.log().count("it asks again") == 2, 30, "it asks again")
        self.write(ORDERS // 2)
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()

    def test_another_process_with_the_same_identity_is(self):
        self.prepare(KafkaBroker().start(), ORDERS)
        first = self.copy(*SESSION).start()
        self.write(ORDERS // 2)
        self.until_read()
        directory = self.new_directory()
        shutil.copytree(first.directory, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tasks"))
        second = self.copy(*SESSION, directory=directory).start(wait_ready=False)
        self.ends_with(first, 7, REFUSED)
        self.write(ORDERS // 2)
        self.until_read()
        self.stops(second)
        self.all_came_out_once()


if __name__ == "__main__":
    passed_cases.main()
