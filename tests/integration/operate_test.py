#!/usr/bin/env python3
"""The operator's commands of a produced binary, against a real broker: dead letters shown and sent again, starts, resets,
skipped records, state looked into."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import HERE, Kafka, Pipeline, build, die_with_parent, until
from kafka_broker import KafkaBroker
from late_broker import LateBroker

START_MS = 1_767_344_400_000  # 2026-01-02T09:00:00Z
PARTITIONS = 2
TOPICS = ["trades", "named", "bars", "accounts", "dead"]

scratch = None
binary = None
local_binary = None  # the same pipeline, its state in the state directory


def setUpModule():
    global scratch, binary, local_binary
    scratch = tempfile.mkdtemp(prefix="weir-operate-")
    source = os.path.join(HERE, "operate.weir")
    binary = build(source, scratch)
    with open(source) as text:
        local = text.read().replace("pipeline operate version 1", "pipeline operate version 1 {\n  deliver: at_least_once\n}")
    with open(os.path.join(scratch, "operate_local.weir"), "w") as out:
        out.write(local)
    local_binary = build(os.path.join(scratch, "operate_local.weir"), scratch)


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
            self.assertIn(first.wait(120), (0, 7), errors.read())
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


class Resets(TestCase):
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
            self.assertIn("operate.weir:" if not self.local else "operate_local.weir:", step[-1])
        window = self.operate("state", "get", "bars.window", "ACME")
        self.assertIn("window from 2026-01-02T09:00:00Z to 2026-01-02T09:01:00Z", window)
        self.assertEqual(window, self.operate("state", "get", "bars.window", '"ACME"'))
        # The accumulators as they are stored: ten trades, the last one has number 9.
        self.assertIn("\\x14\\x01\\x12", window)
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


class PendingRows(TestCase):
    def test_a_record_that_waits_is_shown_while_the_pipeline_runs(self):
        with open(os.path.join(HERE, "lookup_order.weir")) as text:
            source = text.read().replace(" { deliver: at_least_once }", "", 1)
        path = os.path.join(self.directory, "waiting.weir")
        with open(path, "w") as out:
            out.write(source)
        self.binary = build(path, self.directory)
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, 1)
        service = ["--set", "url=http://127.0.0.1:1"]  # nobody answers there
        self.start(*service)
        self.kafka.write([{"topic": "orders", "key": "a1", "value": json.dumps({"id": 7, "account": "a1"})},
                          {"topic": "orders", "key": "a2", "value": json.dumps({"id": 8, "account": "a2"})}])
        self.assertIn("keeps nothing", self.operate("state", "get", "in_key.a", "a3", settings=service))
        until(lambda: "waits" in self.operate("state", "get", "in_key.a", "a1", settings=service), 60, "the row is committed")
        row = self.operate("state", "get", "in_key.a", "a1", settings=service)
        self.assertEqual(row.count("waits"), 1)
        self.assertIn("record orders/0@0", row)
        listed = self.operate("state", "list", settings=service)
        self.assertIn("waiting rows             2", listed)


class LocalResets(Resets):
    """The same where the state directory is the truth."""

    local = True


if __name__ == "__main__":
    unittest.main()
