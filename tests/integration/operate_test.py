#!/usr/bin/env python3
"""The operator's commands of a produced binary, against a real broker: dead letters shown and sent again, starts, resets,
skipped records, state looked into."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from decimal import Decimal

import passed_cases
from harness import BUILD, HERE, Kafka, Pipeline, build, changed, die_with_parent, until
from kafka_broker import KafkaBroker
from late_broker import LateBroker

START_MS = 1_767_344_400_000  # 2026-01-02T09:00:00Z
PARTITIONS = 2
TOPICS = ["trades", "named", "bars", "accounts", "dead"]

scratch = None
binary = None
local_binary = None  # the same pipeline, its state in the state directory


def build_changed(name, to, *changes):
    """NAME.weir of this folder with texts replaced, built as TO."""
    return build(changed(os.path.join(HERE, f"{name}.weir"), os.path.join(scratch, f"{to}.weir"), *changes), scratch)


def in_state_directory(sink, stream):
    """The change that keeps a pipeline's state there: one of its sinks is a file."""
    return f"sink {sink} ", f'sink {stream}_file from {stream} = ndjson("{scratch}/{stream}.ndjson")\nsink {sink} '


def setUpModule():
    global scratch, binary, local_binary
    scratch = tempfile.mkdtemp(prefix="weir-operate-")
    binary = build_changed("operate", "operate")
    local_binary = build_changed("operate", "operate_local", in_state_directory("named_out", "named"))


def tearDownModule():
    shutil.rmtree(scratch, ignore_errors=True)


def trade(i, symbol, account="a1", ms=0):
    return {"id": i, "symbol": symbol, "account": account, "ts": START_MS + ms}


def record(value, partition=None, **more):
    text = value if isinstance(value, str) else json.dumps(value)
    key = value["symbol"] if isinstance(value, dict) else "BAD"
    return {"topic": "trades", "key": key, "value": text, **({} if partition is None else {"partition": partition}), **more}


class TestCase(unittest.TestCase):
    local = False

    def setUp(self):
        self.binary = local_binary if self.local else binary
        self.directory = tempfile.mkdtemp(dir=scratch)
        self.broker = self.make_broker()
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.kafka = Kafka(self.broker)
        for topic in TOPICS:
            self.kafka.create(topic, PARTITIONS)
        self.kafka.create("names", PARTITIONS, cleanup_policy="compact")

    def make_broker(self):
        return KafkaBroker()

    def settings(self):
        # Short, because an operator's command waits until the place of a stopped copy is given up.
        return ["--set", f"brokers={self.broker.bootstrap}", "--kafka.session.timeout.ms=6000"]

    def start(self, *arguments, **how):
        pipeline = Pipeline(self.binary, self.directory, *self.settings(), *arguments)
        self.addCleanup(pipeline.kill)
        return pipeline.start(**how)

    def run_to_end(self, *arguments):
        """Runs until everything that is there is read and written, and leaves the group."""
        pipeline = self.start("--stop-at-end", "--leave", *arguments, wait_ready=False)
        self.assertEqual(pipeline.process.wait(60), 0, pipeline.log()[-3000:])
        return pipeline

    def operate(self, *arguments, code=0, settings=()):
        """stdout of a command, which must end with this code."""
        result = subprocess.run([self.binary, *arguments, *self.settings(), *settings, "--state-dir",
                                 os.path.join(self.directory, "state")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result.stdout if code == 0 else result.stdout + result.stderr

    def values(self, topic):
        return [json.loads(r["value"]) for r in self.kafka.read(topic)]

    def name(self, symbol, name):
        self.kafka.write([{"topic": "names", "key": symbol, "value": json.dumps({"symbol": symbol, "name": name})}])


class DeadLetters(TestCase):
    def prepare(self):
        """Two records without a name, one that is no JSON."""
        self.name("ACME", "Acme")
        self.kafka.write([record(trade(1, "ACME")), record(trade(2, "NEW"), headers=[["trace", "t2"]]),
                          record("{\"id\": \x1b oops"), record(trade(3, "NEW"))])
        self.run_to_end()

    def letters(self, *arguments):
        return [json.loads(line) for line in self.operate("dead-letters", "list", "--format", "json", *arguments).splitlines()]

    def test_each_is_shown_with_reason_and_source_line(self):
        self.prepare()
        letters = self.letters()
        self.assertEqual(sorted(l["reason"] for l in letters), ["bad_input", "missing_row", "missing_row"])
        self.assertEqual({l["step"] for l in letters}, {"trades", "named.n"})
        missing = [l for l in letters if l["reason"] == "missing_row"]
        self.assertEqual([json.loads(l["value"])["id"] for l in sorted(missing, key=lambda l: l["offset"])], [2, 3])
        table = self.operate("dead-letters", "list")
        self.assertIn("operate.weir:", table)
        self.assertIn("3 dead letters", table)
        # Filters, and a limit that keeps the newest.
        self.assertEqual(len(self.letters("--reason", "missing_row")), 2)
        self.assertEqual([l["reason"] for l in self.letters("--step", "trades")], ["bad_input"])
        self.assertEqual(len(self.letters("--limit", "1")), 1)
        # What could not be decoded has no time of its own: it counts from when it was written.
        self.assertEqual([l["reason"] for l in self.letters("--since", "2026-01-03")], ["bad_input"])

    def test_letters_of_others_and_records_that_are_none_are_counted(self):
        self.kafka.write([{"topic": "dead", "key": "k", "value": "v"},
                          {"topic": "dead", "key": "k", "value": "v",
                           "headers": [["weir.pipeline", "another"], ["weir.reason", "late"]]}])
        table = self.operate("dead-letters", "list")
        self.assertIn("0 dead letters", table)
        self.assertIn("not shown: 1 dead letter of other pipelines", table)
        self.assertIn("not shown: 1 record without", table)

    def test_one_is_shown_whole_and_harmless(self):
        self.prepare()
        by_id = {l["reason"] + str(l["offset"]): l for l in self.letters()}
        bad = next(l for l in by_id.values() if l["reason"] == "bad_input")
        text = self.operate("dead-letters", "show", bad["letter"])
        self.assertIn("(operate.weir:13)", text)
        self.assertIn("oops", text)
        self.assertNotIn("\x1b", text)
        first = next(l for l in by_id.values() if l["reason"] == "missing_row" and l["headers"])
        text = self.operate("dead-letters", "show", f"dead/{first['letter']}")
        self.assertIn("trace: t2", text)
        self.assertIn(f"trades/{first['partition']}@{first['offset']}", text)
        self.assertIn("no row of `names`", text)
        self.assertIn("there is no dead letter 0@999", self.operate("dead-letters", "show", "0@999", code=1))
        self.assertIn("names no dead letter", self.operate("dead-letters", "show", "nonsense", code=1))

    def test_they_are_sent_again_after_a_fix_and_only_once(self):
        self.prepare()
        before = self.kafka.count("trades")
        dry = self.operate("dead-letters", "replay", "--reason", "missing_row", "--dry-run")
        self.assertIn("2 records to send again", dry)
        self.assertEqual(self.kafka.count("trades"), before)
        self.assertIn("--yes", self.operate("dead-letters", "replay", "--reason", "missing_row", code=1))
        self.assertEqual(self.kafka.count("trades"), before)

        self.name("NEW", "Newly listed")
        self.assertIn("sent again: 2 records", self.operate("dead-letters", "replay", "--reason", "missing_row", "--yes"))
        self.run_to_end()
        named = sorted(v["id"] for v in self.values("named"))
        self.assertEqual(named, [1, 2, 3])
        sent = [r for r in self.kafka.read("trades") if "weir.replay_of" in dict(r.get("headers", []))]
        self.assertEqual(sorted(json.loads(r["value"])["id"] for r in sent), [2, 3])
        originals = {json.loads(r["value"])["id"]: r for r in self.kafka.read("trades")
                     if "weir.replay_of" not in dict(r.get("headers", [])) and "oops" not in r["value"]}
        for r in sent:
            original = originals[json.loads(r["value"])["id"]]
            self.assertEqual((r["key"], r["value"], r["partition"]), (original["key"], original["value"], original["partition"]))
            self.assertEqual([h for h in r["headers"] if h[0] != "weir.replay_of"], original.get("headers", []))

        again = self.operate("dead-letters", "replay", "--reason", "missing_row", "--yes")
        self.assertIn("nothing to send", again)
        self.assertIn("was sent again before", again)
        self.assertEqual(self.kafka.count("trades"), before + 2)
        self.assertEqual(sorted(l["replayed"] for l in self.letters()), [False, True, True])
        # On purpose, and by name.
        letter = self.letters("--reason", "missing_row")[0]["letter"]
        self.assertIn("sent again: 1 record\n", self.operate("dead-letters", "replay", letter, "--again", "--yes"))
        self.assertEqual(self.kafka.count("trades"), before + 3)

    def test_what_fails_again_is_another_letter_that_says_what_it_repeats(self):
        self.prepare()
        self.operate("dead-letters", "replay", "--reason", "bad_input", "--yes")
        self.run_to_end()
        bad = self.letters("--reason", "bad_input")
        self.assertEqual([l["replayed"] for l in bad], [True, False])
        self.assertEqual(bad[1]["replay_of"], f"trades/{bad[0]['partition']}@{bad[0]['offset']}")
        self.assertEqual(bad[0]["value"], bad[1]["value"])


class ManyDeadLetters(TestCase):
    """Written as the pipeline writes them; sending them again takes several transactions."""

    LETTERS = 20_000

    def make_broker(self):
        return LateBroker()

    def write_many(self):
        self.kafka.write({"topic": "dead", "key": f"S{i % 7}", "value": json.dumps(trade(i, f"S{i % 7}")),
                          "headers": [["weir.pipeline", "operate"], ["weir.step", "trades"], ["weir.line", "13"],
                                      ["weir.reason", "bad_input"], ["weir.source", "trades"], ["weir.topic", "trades"],
                                      ["weir.partition", "0"], ["weir.offset", str(i)]]} for i in range(self.LETTERS))

    def begin_replay(self):
        with open(os.path.join(self.directory, "errors"), "a") as errors:
            return subprocess.Popen([binary, "dead-letters", "replay", "--yes", *self.settings()], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=die_with_parent)

    def assert_each_was_sent_once(self):
        sent = sorted(v["id"] for v in self.values("trades"))
        self.assertEqual(len(sent), self.LETTERS)
        self.assertEqual(sent, list(range(self.LETTERS)))

    def test_a_replay_that_is_killed_loses_and_repeats_nothing(self):
        self.write_many()
        self.broker.proxy.hold("EndTxn", after=2, lost=lambda: replay.kill())
        replay = self.begin_replay()
        self.assertEqual(replay.wait(120), -9)
        self.assertGreater(self.kafka.count("trades"), 0)
        self.assertLess(self.kafka.count("trades"), self.LETTERS)
        self.operate("dead-letters", "replay", "--yes")
        self.assert_each_was_sent_once()

    def test_two_replays_at_once_send_each_letter_once(self):
        self.write_many()
        first = self.begin_replay()
        until(lambda: self.kafka.count("trades") > 0, 60, "the first transaction")
        second = self.begin_replay()
        self.assertEqual(second.wait(120), 0)
        with open(os.path.join(self.directory, "errors")) as errors:
            # It is done, or finds that the second took over: Kafka may call that an unknown error when it is about to commit.
            self.assertIn(first.wait(120), (0, 4, 7), errors.read())
        self.assert_each_was_sent_once()


class Starts(TestCase):
    def test_a_partition_that_was_never_read_begins_where_it_is_told(self):
        self.kafka.write([record(trade(i, "ACME"), time=START_MS + i * 1000) for i in range(10)])
        self.name("ACME", "Acme")
        self.run_to_end("--start", "2026-01-02T09:00:06Z")
        self.assertEqual([v["id"] for v in self.values("named")], [6, 7, 8, 9])
        # From then on the group's offsets count.
        self.kafka.write([record(trade(10, "ACME"))])
        self.run_to_end("--start", "latest")
        self.assertEqual([v["id"] for v in self.values("named")], [6, 7, 8, 9, 10])
        self.run_to_end("--group", "second", "--start", "latest")
        self.assertEqual([v["id"] for v in self.values("named")], [6, 7, 8, 9, 10])
        self.assertIn("must be earliest, latest", self.operate("run", "--start", "yesterday", code=1))


class TenTrades(TestCase):
    """Ten trades of one symbol were read, and their window is open."""

    def setUp(self):
        super().setUp()
        self.name("ACME", "Acme")
        self.kafka.write([record(trade(i, "ACME", ms=i)) for i in range(10)])
        self.run_to_end()
        self.partition = self.kafka.read("trades")[0]["partition"]
        self.assertEqual(self.ids(), list(range(10)))

    def ids(self):
        return [v["id"] for v in self.values("named")]


class Resets(TenTrades):
    def at(self, offset):
        return f"trades/{self.partition}@{offset}"

    def committed(self):
        return self.kafka.committed("operate", "trades", PARTITIONS)

    def close_window(self):
        """One trade two minutes later: the number of trades that the first window has counted."""
        self.kafka.write([record(trade(99, "ACME", ms=120_000))])
        self.run_to_end()
        bars = [b for b in self.values("bars") if b["start"] == "2026-01-02T09:00:00Z"]
        return [b["n"] for b in bars]

    def test_it_begins_again_without_state(self):
        before = self.committed()
        dry = self.operate("reset", "--dry-run")
        self.assertIn(f"trades/{self.partition} at where `start:` of the source says (it stands at 10", dry)
        self.assertIn("empties" if self.local else "deletes topic operate.trades.changelog", dry)
        self.assertIn("--yes", self.operate("reset", code=1))
        self.assertEqual(self.committed(), before)
        self.assertIn("done", self.operate("reset", "--yes"))
        self.run_to_end()
        self.assertEqual(self.ids(), list(range(10)) * 2)
        self.assertEqual(self.close_window(), [10])

    def test_it_begins_where_it_is_told(self):
        self.operate("reset", "--to", self.at(7), "--yes")
        self.run_to_end()
        self.assertEqual(self.ids(), [*range(10), 7, 8, 9])
        self.assertEqual(self.close_window(), [3])
        self.operate("reset", "--to", "latest", "--yes")
        self.run_to_end()
        self.assertEqual(self.ids()[-1], 99)
        self.assertIn("from 0 to 11", self.operate("reset", "--to", self.at(12), code=1))
        self.assertIn("did you mean `trades`", self.operate("reset", "--to", "trade/0@1", code=1))

    def test_positions_move_and_the_state_stays(self):
        dry = self.operate("reset", "--to", self.at(6), "--keep-state", "--dry-run")
        self.assertIn("from 10 to 6: what lies between is read, counted and written a second time", dry)
        self.operate("reset", "--to", self.at(6), "--keep-state", "--yes")
        self.run_to_end()
        self.assertEqual(self.ids(), [*range(10), 6, 7, 8, 9])
        self.assertEqual(self.close_window(), [14])
        self.assertIn("needs --to", self.operate("reset", "--keep-state", code=1))

    def test_one_record_is_skipped(self):
        self.kafka.write([record(trade(i, "ACME", ms=i)) for i in (10, 11)])
        dry = self.operate("skip", self.at(10), "--dry-run")
        self.assertIn('"id": 10', dry)
        self.assertIn("ACME", dry)
        self.assertEqual(self.committed()[self.partition], 10)
        wrong = self.operate("skip", self.at(11), "--yes", code=7)
        self.assertIn("stands at 10, and the record that comes next has offset 10", wrong)
        self.assertIn("never read" if self.local else "stands at 0, at its end", self.operate("skip", f"trades/{1 - self.partition}@0", code=7))
        self.assertIn("goes on at 11", self.operate("skip", self.at(10), "--yes"))
        self.assertIn("stands at 11", self.operate("skip", self.at(10), "--yes", code=7))
        self.run_to_end()
        self.assertEqual(self.ids(), [*range(10), 11])
        self.assertEqual(self.close_window(), [11])
        self.assertIn("at its end", self.operate("skip", self.at(13), code=7))

    def test_what_the_state_holds_is_shown(self):
        listed = {line.split()[0]: line.split() for line in self.operate("state", "list").splitlines()[1:]}
        self.assertEqual(set(listed), {"bars.window", "accounts.window"})
        for step in listed.values():
            self.assertEqual(step[1:4], ["open", "windows", "1"])
            self.assertIn("operate.weir:" if not self.local else "operate_local.weir:", step[-3])
            self.assertEqual(step[-1], "(string)")
        window = self.operate("state", "get", "bars.window", "ACME")
        self.assertIn("window from 2026-01-02T09:00:00Z to 2026-01-02T09:01:00Z", window)
        self.assertEqual(window, self.operate("state", "get", "bars.window", '"ACME"'))
        self.assertEqual([line.split() for line in window.splitlines()[1:]],
                         [["symbol", '"ACME"'], ["n", "10", "count()"], ["last_id", "9", "last(id)"]])
        self.assertIn("window from", self.operate("state", "get", "accounts.window", "a1"))
        self.assertIn("keeps nothing of the key NONE", self.operate("state", "get", "bars.window", "NONE"))
        self.assertIn("did you mean `bars.window`", self.operate("state", "get", "bars.windo", "ACME", code=1))
        self.assertEqual(self.close_window(), [10])

    def test_nothing_moves_below_a_copy_that_runs(self):
        pipeline = self.start()
        for command in (["reset"], ["skip", self.at(10)]):
            self.assertIn("runs on the state directory", self.operate(*command, "--yes", code=7))
        # The copy keeps its place for a while after it was stopped, and the command waits that long.
        self.assertEqual(pipeline.stop(), 0)
        self.operate("reset", "--yes")
        self.run_to_end()
        self.assertEqual(self.ids(), list(range(10)) * 2)


# Requests that change nothing, or are the broker's own (27): a command that is killed at one has done no more than before.
ASKS_ONLY = {1, 2, 3, 9, 10, 15, 16, 18, 27, 32, 60, 71, 72}


class KilledResets(TenTrades):
    """Ten trades of one symbol were read, and the windows of two stages are open: of its symbol, and of its account, for which
    they are re-keyed. A reset is killed at each request that changes something, before the broker has it and before its answer
    comes."""

    def make_broker(self):
        return LateBroker()

    def setUp(self):
        super().setUp()
        self.seen = self.ids()

    def new_ids(self):
        """Of what came out since this was called last."""
        ids = self.ids()
        new, self.seen = ids[len(self.seen):], ids
        return new

    def windows(self):
        """How many trades the open windows of each stage have counted."""
        counts = []
        for step, key in (("bars.window", "ACME"), ("accounts.window", "a1")):
            found = re.findall(r"^ +n +(\d+) ", self.operate("state", "get", step, key), re.MULTILINE)
            counts.append([int(n) for n in found])
        return counts

    def reset_killed_at_a_request(self, at, *arguments):
        """`at`: which one, by number or as it is called here. Returns what it was killed at; None: it was done before."""
        count, hit, lock = 0, None, threading.Lock()

        def cut(request, answered):
            nonlocal count, hit
            if request.key in ASKS_ONLY:
                return False
            with lock:
                count += 1
                here = f"request {request.key}, {'done' if answered else 'not sent'}"
                if at in (count, here):
                    hit = here
                    process.kill()
                    process.wait()
            return hit is not None

        with open(os.path.join(self.directory, "errors"), "a") as errors:
            with lock:
                self.broker.proxy.cut = cut
                process = subprocess.Popen([self.binary, "reset", "--yes", *arguments, *self.settings(), "--state-dir",
                                            os.path.join(self.directory, "state")], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=die_with_parent)
        code = process.wait(60)
        self.broker.proxy.cut = None
        if code == 0:
            return None  # what it says on its way out is nothing that it waits for
        self.assertEqual((code, hit is None), (-9, False))
        return hit

    def go_on(self, hit, read_again, counted):
        """Starts after a reset that was killed, and returns what became of it."""
        pipeline = self.start("--stop-at-end", "--leave", wait_ready=False)
        code = pipeline.process.wait(60)
        log, ids, windows = pipeline.log(), self.new_ids(), None
        os.unlink(pipeline.log_path)
        became = {0: "goes on", 3: "refused"}.get(code)
        self.assertIsNotNone(became, f"{hit}: code {code}\n{log[-3000:]}")
        if code == 3:
            self.assertIn("`reset`", log, hit)
            self.assertEqual(ids, [], hit)
            self.operate("reset", "--yes")
            self.run_to_end()
            ids, windows = self.new_ids(), self.windows()
            self.assertEqual((ids, windows), (list(range(10)), [[10], [10]]), hit)
            return became
        windows = self.windows()
        if ids == []:
            self.assertEqual(windows, [[10], [10]], hit)
            return became
        self.assertEqual((ids, windows), (read_again, [[counted]] * 2), hit)
        return "as it said"

    def kill_at_each(self, reset, *arguments, read_again, counted=None, first=1):
        """What became of it, by where it was killed: what a complete one reads again, and how many trades both windows hold
        then."""
        counted = len(read_again) if counted is None else counted
        became = {}
        for at in range(first, 400):
            hit = reset(at, *arguments)
            where = f"{at}: {hit}"
            became[where] = self.go_on(where, read_again, counted)
            if hit is None:
                break
            if became[where] == "as it said" and read_again != list(range(10)):
                self.operate("reset", "--yes")
                self.run_to_end()
                self.new_ids()
        print(became, file=sys.stderr)
        self.assertIsNone(hit)
        self.assertEqual(became[where], "as it said")
        return became.values()

    def to_seven(self):
        return "--to", f"trades/{self.partition}@7"

    def test_killed_at_any_request_a_reset_leaves_all_of_the_state_or_none(self):
        became = self.kill_at_each(self.reset_killed_at_a_request, read_again=list(range(10)))
        # Where the state directory is the truth all that Kafka hears comes afterwards.
        self.assertEqual(set(became), {"as it said"} if self.local else {"goes on", "refused", "as it said"})

    def test_the_same_of_one_that_says_where_to_begin(self):
        became = self.kill_at_each(self.reset_killed_at_a_request, *self.to_seven(), read_again=[7, 8, 9])
        self.assertEqual(set(became), {"as it said"} if self.local else {"goes on", "refused", "as it said"})

    def test_below_offsets_no_topic_of_a_reset_that_is_not_complete_is_missed_in_silence(self):
        """As where the right to delete one of them is lacking."""
        topics = sorted(t for t in self.kafka.topics() if t.endswith(".changelog"))
        self.assertEqual(len(topics), 0 if self.local else 2)
        for topic in topics:
            hit = self.reset_killed_at_a_request("request 20, not sent")
            self.assertIsNotNone(hit)
            self.kafka.delete(topic)
            self.assertEqual(self.go_on(f"without {topic}", list(range(10)), 10), "refused")

    def test_killed_at_any_request_one_that_keeps_the_state_has_moved_all_or_nothing(self):
        became = self.kill_at_each(self.reset_killed_at_a_request, *self.to_seven(), "--keep-state", read_again=[7, 8, 9], counted=13)
        self.assertEqual(set(became), {"as it said"} if self.local else {"goes on", "as it said"})


class State(TestCase):
    """Three trades of one symbol were read: their windows are open, and their records wait for a service that is away."""

    TRADES = [{"id": 1, "symbol": "ACME", "account": "a1", "side": "B", "price": Decimal("10.5"), "qty": 100, "note": None},
              {"id": 2, "symbol": "ACME", "account": "a1", "side": "S", "price": Decimal("11.25"), "qty": 50, "note": "n2"},
              {"id": 3, "symbol": "ACME", "account": "a2", "side": "B", "price": Decimal("10.0001"), "qty": 1}]
    binaries = {}

    def built(self, to, *changes):
        if to not in self.binaries:
            self.binaries[to] = build_changed("operate_state", to, *changes)
        return self.binaries[to]

    def setUp(self):
        super().setUp()
        for topic in ("by_side", "tiers"):
            self.kafka.create(topic, 1)
        self.changes = [in_state_directory("bars_out", "bars")] if self.local else []
        self.binary = self.built("operate_state_local" if self.local else "operate_state", *self.changes)
        self.write(self.TRADES)
        self.partition = self.kafka.read("trades")[0]["partition"]
        self.pipeline = self.start("--grace", "100ms")
        until(lambda: "\nweir_pending_rows{pipeline=\"operate_state\"} 3\n" in self.pipeline.get("metrics")[1], 60, "three rows wait")
        if self.local:  # its commands are for a pipeline that has stopped
            self.assertEqual(self.pipeline.stop(), 0)
        else:
            until(lambda: len(self.objects("list", "tiers.a")) == 3, 60, "they are committed")

    def settings(self):
        return [*super().settings(), "--set", "url=http://127.0.0.1:1"]  # nobody answers there

    def write(self, trades):
        for i, trade in enumerate(trades):
            text = json.dumps({**trade, "ts": START_MS + 1000 * i, "price": str(trade["price"])})
            self.kafka.write([{"topic": "trades", "key": trade["symbol"], "value": text}])

    def objects(self, *arguments):
        lines = self.operate("state", *arguments, "--format", "json").splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]

    def get(self, *arguments):
        found = self.objects("get", *arguments)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def refused(self, *arguments):
        return self.operate("state", *arguments, code=1)

    def test_a_window_is_shown_as_it_would_be_published_now(self):
        window = self.get("bars.window", "ACME")
        self.assertEqual((window["start"], window["end"]), ("2026-01-02T09:00:00Z", "2026-01-02T09:01:00Z"))
        self.assertEqual(window["key"], {"symbol": "ACME"})
        self.assertEqual(window["aggregates"], {
            "vwap": Decimal("10.745034"), "mean": Decimal("10.583367"), "volume": 151, "last_note": "n2",
            "latest": "2026-01-02T09:00:02Z", "max(price)": Decimal("11.25"), "min(price)": Decimal("10.0001")})
        self.assertEqual(window["parts"], {"vwap": {"amount": Decimal("1622.5001"), "quantity": 151},
                                           "mean": {"sum": Decimal("31.7501"), "count": 3}})
        lines = [" ".join(line.split()) for line in self.operate("state", "get", "bars.window", "ACME").splitlines()]
        self.assertEqual(lines[0], f"window from 2026-01-02T09:00:00Z to 2026-01-02T09:01:00Z, task {self.partition}")
        self.assertIn('symbol "ACME"', lines)
        self.assertIn("vwap 10.745034 vwap(price, qty): amount 1622.5001, quantity 151", lines)
        self.assertIn("volume 151 sum(qty)", lines)
        self.assertIn("max(price) 11.25", lines)
        # And so it is.
        if self.local:
            self.pipeline.start()
        self.kafka.write([{"topic": "trades", "key": "ACME", "value": json.dumps(
            {**self.TRADES[0], "id": 9, "price": "1", "ts": START_MS + 120_000})}])
        until(lambda: self.kafka.count("bars") == 1, 60, "the window is closed")
        bar = json.loads(self.kafka.read("bars")[0]["value"], parse_float=Decimal)
        self.assertEqual(bar.pop("span"), Decimal("1.2499"))
        self.assertEqual(bar.pop("start"), window["start"])
        for name, value in bar.items():
            self.assertEqual(value, {**window["key"], **window["aggregates"]}[name], name)

    def test_a_key_of_several_columns_is_an_object_or_an_array(self):
        buys = self.get("by_side.window", '{"symbol":"ACME","side":"B"}')
        self.assertEqual((buys["key"], buys["aggregates"]), ({"symbol": "ACME", "side": "B"}, {"n": 2}))
        self.assertEqual(buys, self.get("by_side.window", '["ACME","B"]'))
        self.assertEqual(buys, self.get("by_side.window", '{"side": "B", "symbol": "ACME"}'))
        self.assertEqual(self.get("by_side.window", '["ACME","S"]')["aggregates"], {"n": 1})
        self.assertIn("keeps nothing of the key", self.operate("state", "get", "by_side.window", '["NONE","S"]'))

    def test_a_wrong_key_is_answered_with_what_one_is(self):
        expected = "a key is `symbol` (string), `side` (Side: B S), written '{\"symbol\":\"some symbol\",\"side\":\"B\"}' or '["
        for key, why in (("ACME", "`ACME` is no key"), ('["ACME"]', "1 value for 2 columns"), ('["ACME","X"]', "which `side` is"),
                         ('{"symbol":"ACME","sid":"B"}', "did you mean `side`?"), ('{"symbol":"ACME"}', "`side` is missing")):
            message = self.refused("get", "by_side.window", key)
            self.assertIn(why, message)
            self.assertIn(expected, message)
            self.assertIn("`by_side.window` (operate_state", message)  # and the line
        self.assertIn("`get` takes a key: `symbol` (string)", self.refused("get", "bars.window"))
        self.assertIn("is one argument", self.refused("get", "by_side.window", "ACME", "B"))
        self.assertIn("did you mean `bars.window`", self.refused("get", "bars.windo", "ACME"))

    def test_a_record_that_waits_is_shown_with_arguments_and_fields(self):
        row = self.get("tiers.a", '["a1",1]')
        self.assertEqual((row["source"], row["topic"], row["partition"], row["offset"]), ("trades", "trades", self.partition, 0))
        self.assertEqual(row["time"], "2026-01-02T09:00:00Z")
        self.assertEqual(row["order_key"], {"account": "a1", "id": 1})
        self.assertEqual(row["arguments"], {"id": "a1", "since": "2026-01-02T09:00:00Z"})
        self.assertEqual(row["fields"], {"id": 1, "price": Decimal("10.5"), "note": None})
        self.assertEqual(self.get("tiers.a", '{"id":2,"account":"a1"}')["fields"],
                         {"id": 2, "price": Decimal("11.25"), "note": "n2"})
        # The record's own key will do too.
        self.assertEqual([r["offset"] for r in self.objects("get", "tiers.a", "ACME")], [0, 1, 2])
        text = self.operate("state", "get", "tiers.a", '["a2",3]')
        self.assertIn(f"pending  record trades/{self.partition}@2, task {self.partition}", text)
        self.assertEqual([line.split() for line in text.splitlines()[3:]],
                         [["order", "key"], ["account", '"a2"'], ["id", "3"],
                          ["arguments"], ["id", '"a2"'], ["since", '"2026-01-02T09:00:02Z"'],
                          ["fields"], ["id", "3"], ["price", "10.0001"], ["note", "null"]])
        message = self.refused("get", "tiers.a", "a1")
        self.assertIn("a key is `account` (string), `id` (int64)", message)
        self.assertIn("no pending request is of a record with that key", message)

    def test_a_step_is_listed_up_to_a_limit(self):
        steps = {step["step"]: step for step in self.objects("list")}
        self.assertEqual({name: step["entries"] for name, step in steps.items()}, {"bars.window": 1, "by_side.window": 2, "tiers.a": 3})
        self.assertEqual(steps["tiers.a"]["key"], [{"name": "account", "type": "string"}, {"name": "id", "type": "int64"}])
        table = self.operate("state", "list", "by_side.window").splitlines()
        self.assertEqual(table[0].split(), ["start", "task", "symbol", "side", "n"])
        self.assertEqual(sorted(line.split()[2:] for line in table[1:3]), [['"ACME"', '"B"', "2"], ['"ACME"', '"S"', "1"]])
        self.assertEqual(table[3], "2 open windows")
        rows = self.operate("state", "list", "tiers.a", "--limit", "2")
        self.assertIn("2 of 3 pending requests; --limit shows more", rows)
        self.assertIn(f"trades/{self.partition}@0", rows)
        self.assertIn('id "a1", since "2026-01-02T09:00:01Z"', rows)
        self.assertEqual(len(self.objects("list", "tiers.a", "--limit", "1")), 1)
        self.assertIn("--limit takes a whole number", self.refused("list", "tiers.a", "--limit", "few"))

    def test_a_state_of_another_version_is_refused(self):
        self.binary = self.built("operate_state_other" + ("_local" if self.local else ""), *self.changes, ("volume: sum(qty)", "volume: sum(price)"))
        for arguments in (["list"], ["list", "bars.window"], ["get", "bars.window", "ACME"]):
            self.assertIn("the state of `bars.window` (windows)", self.operate("state", *arguments, code=3))


class PendingRows(TestCase):
    def test_a_record_that_waits_is_shown_while_the_pipeline_runs(self):
        path = changed(os.path.join(HERE, "lookup_order.weir"), os.path.join(self.directory, "waiting.weir"),
                       (" { deliver: at_least_once }", ""))
        self.binary = build(path, self.directory)
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, 1)
        service = ["--set", "url=http://127.0.0.1:1"]  # nobody answers there
        self.start(*service)
        self.kafka.write([{"topic": "orders", "key": "a1", "value": json.dumps({"id": 7, "account": "a1"})},
                          {"topic": "orders", "key": "a2", "value": json.dumps({"id": 8, "account": "a2"})}])
        self.assertIn("keeps nothing", self.operate("state", "get", "in_key.a", "a3", settings=service))
        until(lambda: "pending" in self.operate("state", "get", "in_key.a", "a1", settings=service), 60, "the row is committed")
        row = self.operate("state", "get", "in_key.a", "a1", settings=service)
        self.assertEqual(row.count("pending"), 1)
        self.assertIn("record orders/0@0", row)
        listed = self.operate("state", "list", settings=service)
        self.assertRegex(listed, "in_key.a +pending requests +2 ")


class LocalResets(Resets):
    """The same where the state directory is the truth."""

    local = True


class LocalKilledResets(KilledResets):
    """Likewise."""

    local = True

    def reset_killed_at_a_call(self, at, *arguments):
        directory = os.path.join(self.directory, "state")
        done = subprocess.run([os.path.join(BUILD, "tests", "servers", "disk_fault"), directory, str(at), "kill", self.binary, "reset",
                               *arguments, *self.settings(), "--state-dir", directory], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        self.calls, hit = re.search(r"disk_fault: (\d+) calls, (\w+)\n$", done.stderr).groups()
        self.assertEqual(done.returncode, 0 if hit == "none" else 137, done.stderr)
        return None if hit == "none" else hit

    def test_killed_at_any_call_that_touches_the_disk_a_reset_leaves_all_of_the_state_or_none(self):
        for arguments, read_again in ((), list(range(10))), (self.to_seven(), [7, 8, 9]):
            self.reset_killed_at_a_call(0, "--dry-run", *arguments)
            looks = int(self.calls)  # up to there it changes nothing
            became = self.kill_at_each(self.reset_killed_at_a_call, "--yes", *arguments, read_again=read_again, first=looks)
            self.assertEqual(set(became), {"goes on", "as it said"})
            self.operate("reset", "--yes")
            self.run_to_end()
            self.new_ids()


class LocalState(State):
    """Likewise."""

    local = True


if __name__ == "__main__":
    passed_cases.main()
