#!/usr/bin/env python3
"""A disk whose sync takes half a minute, and a process with almost no processor time, are slow and nothing else: commits go on,
the copy stays a member of its group and keeps its partitions, and what comes out is there once."""

import os
import re
import signal
import sys
import tempfile
import threading
import time

import passed_cases
import pipelines_test
from harness import BUILD, Pipeline, now, until
from pipelines_test import EXAMPLE, PARTITIONS, ExampleTest, compiled, tearDownModule  # noqa: F401

SESSION_S = 6
SESSION = (f"--kafka.session.timeout.ms={SESSION_S * 1000}", "--kafka.heartbeat.interval.ms=1000")


def setUpModule():
    pipelines_test.setUpModule()


class Starved:
    """A process that runs for 20 ms in 400."""

    def __init__(self, process):
        self._process, self._end = process, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end.is_set():
            self._process.send_signal(signal.SIGSTOP)
            self._end.wait(0.38)
            self._process.send_signal(signal.SIGCONT)
            self._end.wait(0.02)

    def end(self):
        self._end.set()
        self._thread.join()


class SlowMachine(ExampleTest):
    def copy(self, *under, source=EXAMPLE):
        """A copy with a state directory of its own, not started."""
        directory = tempfile.mkdtemp(dir=pipelines_test.scratch)
        arguments = self.arguments if source == EXAMPLE else [*self.arguments, "--set", f"bars={directory}/bars.ndjson"]
        pipeline = Pipeline(compiled(source), directory, *arguments, *SESSION)
        pipeline.under = list(under)
        self.addCleanup(pipeline.kill)
        return pipeline

    def slow_disk(self, copy, seconds):
        state = os.path.join(copy.directory, "state")
        copy.under = [os.path.join(BUILD, "tests", "servers", "disk_fault"), state, str(seconds), "slow"]
        return copy

    @staticmethod
    def held(copy):
        _, text = copy.get("metrics")
        return sorted(re.findall(r'^weir_source_lag_records\{[^}]*source="trades"[^}]*partition="(\d+)"', text, re.M))

    def committed(self, partitions):
        offsets = self.kafka.committed("trade_enrichment", "trades", PARTITIONS)
        return {p: offsets[int(p)] for p in partitions}

    def both_hold_some(self, slow, other):
        def shared():
            return self.held(slow) and self.held(other) and len(self.held(slow) + self.held(other)) == PARTITIONS
        until(shared, 60, "both copies have partitions")
        return self.held(slow)

    def keeps_committing(self, slow, held, seconds, also=lambda: None):
        """Each of the partitions is committed further again and again, for so long; the copy keeps them."""
        began, times = now(), 0
        while now() - began < seconds:
            before = self.committed(held)
            until(lambda: all(offset > before[p] for p, offset in self.committed(held).items()), 15,
                  "the slow copy commits")
            self.assertEqual(self.held(slow), held)
            also()
            times += 1
        return times

    def test_a_sync_of_half_a_minute_holds_up_no_commit(self):
        self.prepare(5000, seed=21)
        slow, other = self.slow_disk(self.copy(), 30).start(), self.copy().start()
        writer = self.kafka.write_slowly(self.example.records(), 200)
        held = self.both_hold_some(slow, other)
        hangs = lambda: slow.log().count("sync hangs") - slow.log().count("sync goes on")
        until(lambda: hangs() == 1, 30, "a sync hangs")
        times = self.keeps_committing(slow, held, 3 * SESSION_S, also=lambda: self.assertEqual(hangs(), 1))
        print(f"committed {times} times while a sync hung", file=sys.stderr)
        self.assertGreater(times, 5)
        self.assertEqual(self.held(slow), held)
        slow.kill()
        # What was not written is replayed.
        slow.under = []
        slow.start()
        self.assertEqual(writer.wait(300), 0)
        self.check()
        for copy in (slow, other):
            self.assertEqual(copy.stop(), 0)

    def test_a_local_state_whose_sync_takes_longer_than_a_session(self):
        self.prepare(2000, seed=22)
        source = self.with_local_state()
        slow = self.slow_disk(self.copy(source=source), SESSION_S + 2).start()
        self.kafka.write(self.example.records())
        self.check()
        syncs = slow.log().count("sync goes on")
        self.assertGreater(syncs, 3)
        # Nobody ended it, and it is no member of a later generation: another one is refused.
        second = self.copy(source=source).start(wait_ready=False)
        self.assertEqual(second.process.wait(60), 7)
        self.assertIn("another copy", second.log())
        self.assertEqual(slow.stop(timeout_s=120), 0)
        before = self.kafka.count("trades.enriched")
        slow.under = []
        slow.start()
        self.assertEqual(slow.stop(), 0)
        self.assertEqual(self.kafka.count("trades.enriched"), before)

    def test_a_process_with_almost_no_processor_time(self):
        self.prepare(5000, seed=23)
        slow, other = self.copy().start(), self.copy().start()
        writer = self.kafka.write_slowly(self.example.records(), 200)
        held = self.both_hold_some(slow, other)
        starved = Starved(slow.process)
        try:
            times = self.keeps_committing(slow, held, 4 * SESSION_S)
        finally:
            starved.end()
        print(f"committed {times} times with a twentieth of a processor", file=sys.stderr)
        self.assertEqual(writer.wait(300), 0)
        self.check()
        for copy in (slow, other):
            self.assertEqual(copy.stop(), 0)


if __name__ == "__main__":
    passed_cases.main()
