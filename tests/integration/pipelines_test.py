#!/usr/bin/env python3
"""Whole pipelines as static executables against a real broker and a real HTTP service, in good times and bad.

What each must write is worked out here, from the input alone, and compared by outputs.py.
"""

import glob
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter, defaultdict
from datetime import datetime, timezone
from decimal import Decimal

import passed_cases
from harness import HERE, ROOT, Kafka, Peer, Pipeline, build, changed, until
from outputs import differences
from kafka_broker import KafkaBroker

EXAMPLE = os.path.join(ROOT, "examples", "trade_enrichment", "pipeline.weir")
START_MS = 1_767_344_400_000
PARTITIONS = 4

binaries = {}  # compiled once
scratch = None


def setUpModule():
    global scratch
    scratch = tempfile.mkdtemp(prefix="weir-pipelines-")


def tearDownModule():
    shutil.rmtree(scratch, ignore_errors=True)


def compiled(source):
    if source not in binaries:
        binaries[source] = build(source, tempfile.mkdtemp(dir=scratch))
    return binaries[source]


def decoded(record):
    """A JSON value in one form: numbers as Decimal, so that 1.50 and 1.5 are equal; fields in order of name."""
    value = json.loads(record["value"], parse_float=Decimal, parse_int=Decimal)
    return tuple(sorted((k, v) for k, v in value.items()))


def row(**fields):
    return tuple(sorted(fields.items()))


class TestCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(dir=scratch)

    def start_broker(self):
        broker = KafkaBroker()
        self.addCleanup(broker.close)
        broker.start()
        return broker, Kafka(broker)

    def start_peer(self, *options):
        peer = Peer(*options)
        self.addCleanup(peer.close)
        return peer

    def start_pipeline(self, source, *arguments, **how):
        pipeline = Pipeline(compiled(source), self.directory, *arguments)
        self.addCleanup(pipeline.kill)
        return pipeline.start(**how)

    def assert_same(self, expected, actual, **how):
        problems = differences(expected, actual, **how)
        self.assertFalse(problems, "\n".join(problems))


# ---- The example -----------------------------------------------------------------------------------------------------


class Example:
    """Input of examples/trade_enrichment and what the pipeline must make of it."""

    def __init__(self, trades, seed=1, symbols=12, accounts=40):
        choose = random.Random(seed)
        self.instruments = [{"symbol": f"S{i:02}", "name": f"Company {i}", "currency": "USD", "lot_size": 1}
                            for i in range(symbols)]
        self.accounts = [{"id": f"a{i}", "tier": choose.choice(["gold", "silver"]), "credit_limit": 1000 + i}
                         for i in range(accounts)]
        self.trades = []
        for i in range(trades):
            self.trades.append({
                "trade_id": i,
                # One symbol in fifteen has no instrument, one account in ten is unknown to the service.
                "symbol": "NONE" if choose.randrange(15) == 0 else f"S{choose.randrange(symbols):02}",
                "account": f"a{choose.randrange(accounts * 11 // 10)}",
                "side": choose.choice("BS"),
                "price": f"{choose.randrange(1000, 500000) / 10000:.4f}",
                "qty": choose.randrange(1, 400),
                "ts": START_MS + i * 7,
            })

    def records(self):
        # Prices go out as numbers, exactly as written.
        for t in self.trades:
            text = json.dumps(t).replace(f'"price": "{t["price"]}"', f'"price": {t["price"]}')
            yield {"topic": "trades", "key": t["symbol"], "value": text}

    def closing(self):
        """One trade for each key, late enough to complete every window before it. Its own windows stay open."""
        first = len(self.trades)
        return [{"trade_id": first + i, "symbol": instrument["symbol"], "account": "a0", "side": "B", "price": "1.0000",
                 "qty": 100, "ts": START_MS + len(self.trades) * 7 + 3_600_000}
                for i, instrument in enumerate(self.instruments)]

    def enriched(self):
        tiers = {a["id"]: a["tier"] for a in self.accounts}
        names = {i["symbol"]: i["name"] for i in self.instruments}
        for t in self.trades:
            if t["qty"] < 100 or t["symbol"] not in names:
                continue
            yield t, (t["symbol"], row(
                trade_id=Decimal(t["trade_id"]), symbol=t["symbol"], name=names[t["symbol"]], side=t["side"],
                price=Decimal(t["price"]), qty=Decimal(t["qty"]), notional=Decimal(t["price"]) * t["qty"],
                tier=tiers.get(t["account"], "unknown")))

    def bars(self):
        """(symbol, start): trades, notional, quantity, highest price."""
        bars = defaultdict(lambda: [0, Decimal(0), 0, Decimal(0)])
        for t, _ in self.enriched():
            bar = bars[t["symbol"], t["ts"] // 1000 * 1000]
            bar[0] += 1
            bar[1] += Decimal(t["price"]) * t["qty"]
            bar[2] += t["qty"]
            bar[3] = max(bar[3], Decimal(t["price"]))
        return bars

    def write_tables(self, kafka):
        kafka.create("instruments", PARTITIONS, cleanup_policy="compact")
        for topic in ("trades", "trades.enriched", "vwap.1s", "trades.dead"):
            kafka.create(topic, PARTITIONS)
        kafka.write({"topic": "instruments", "key": i["symbol"], "value": json.dumps(i)} for i in self.instruments)

    def write_accounts(self, directory):
        path = os.path.join(directory, "accounts.ndjson")
        with open(path, "w") as out:
            out.writelines(json.dumps(a) + "\n" for a in self.accounts)
        return path


def millis(text):
    """RFC 3339 to epoch milliseconds."""
    from datetime import datetime, timezone
    whole = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 1000


class ExampleTest(TestCase):
    def prepare(self, trades, seed=1, peer_options=("--delay", "0..10")):
        self.example = Example(trades, seed)
        self.broker, self.kafka = self.start_broker()
        self.example.write_tables(self.kafka)
        self.peer = self.start_peer("--data", self.example.write_accounts(self.directory), *peer_options)
        self.arguments = ["--set", f"brokers={self.broker.bootstrap}", "--set", f"ref_url={self.peer.url}"]

    def with_local_state(self):
        """The example with its state in the state directory, since one of its sinks is a file, which `bars` names."""
        return changed(EXAMPLE, os.path.join(self.directory, "local.weir"),
                       more="\nparam bars: string\nsink bars_file from vwap_1s = ndjson(bars)\n")

    def check(self, extra_dead=0, duplicates=False):
        """Waits until everything is there, then compares."""
        example = self.example

        def count(topic):
            if not duplicates:
                return self.kafka.count(topic)
            return len({r["value"] for r in self.kafka.read(topic)})

        enriched = [record for _, record in example.enriched()]
        until(lambda: count("trades.enriched") >= len(enriched), 60, "everything is enriched")
        closing = example.closing()
        self.kafka.write({"topic": "trades", "key": t["symbol"],
                          "value": json.dumps(t).replace('"1.0000"', "1.0")} for t in closing)
        bars = example.bars()
        until(lambda: count("vwap.1s") >= len(bars), 60, "every window is closed")
        until(lambda: count("trades.enriched") >= len(enriched) + len(closing), 60, "the last trades")

        names = {i["symbol"]: i["name"] for i in example.instruments}
        tier = example.accounts[0]["tier"]
        enriched += [(t["symbol"], row(trade_id=Decimal(t["trade_id"]), symbol=t["symbol"], name=names[t["symbol"]],
                                       side="B", price=Decimal(1), qty=Decimal(100), notional=Decimal(100), tier=tier))
                     for t in closing]
        written = self.kafka.read("trades.enriched")
        self.assert_same(enriched, [(r["key"], decoded(r)) for r in written], order="key", duplicates=duplicates)

        seen = set()
        for record in self.kafka.read("vwap.1s"):
            bar = dict(decoded(record))
            key = bar["symbol"], millis(bar["start"])
            self.assertIn(key, bars)
            if not duplicates:
                self.assertNotIn(key, seen, "a window came twice")
            seen.add(key)
            count, notional, qty, high = bars[key]
            self.assertEqual(record["key"], bar["symbol"])
            self.assertEqual(bar["trades"], count, key)
            self.assertEqual(bar["high"], high, key)
            self.assertAlmostEqual(bar["vwap"], notional / qty, places=3, msg=key)
        self.assertEqual(len(seen), len(bars), "windows are missing")

        unknown = sum(t["symbol"] == "NONE" and t["qty"] >= 100 for t in example.trades)
        dead = self.kafka.read("trades.dead")
        reasons = [dict(r.get("headers", [])).get("weir.reason") for r in dead]
        if not duplicates:
            self.assertEqual(reasons.count("missing_row"), unknown)
            self.assertEqual(len(dead), unknown + extra_dead)
        return dead


class TradeEnrichment(ExampleTest):
    def test_end_to_end(self):
        self.prepare(3000)
        self.kafka.write(self.example.records())
        pipeline = self.start_pipeline(EXAMPLE, *self.arguments)
        self.check()
        self.assertEqual(pipeline.stop(), 0)
        # Offsets are part of the transactions.
        self.assertEqual(sum(self.kafka.committed("trade_enrichment", "trades", PARTITIONS)),
                         len(self.example.trades) + len(self.example.closing()))
        # Started again it has nothing to do, and does nothing.
        before = self.kafka.count("trades.enriched")
        again = self.start_pipeline(EXAMPLE, *self.arguments)
        self.assertEqual(again.stop(), 0)
        self.assertEqual(self.kafka.count("trades.enriched"), before)

    def test_poison_records_become_dead_letters(self):
        self.prepare(300)
        poison = [
            {"value": ""}, {"value": "{"}, {"value": "null"}, {"value": "[1,2]"}, {"value": '{"trade_id": 1}'},
            {"value64": "//79/A=="}, {"value": "[" * 5000}, {"value": '{"a":' * 3000},
            {"value": json.dumps({**self.example.trades[0], "price": "x"})},
            {"value": json.dumps({**self.example.trades[0], "qty": 10**30})},
            {"value": json.dumps({**self.example.trades[0], "side": "X"})},
            {"value": json.dumps({**self.example.trades[0], "ts": "yesterday"})},
            {"value": json.dumps({**self.example.trades[0], "symbol": None})},
            {"value64": "eyJ0cmFkZV9pZCI6IDEsICJzeW1ib2wiOiAi/yJ9"}, {},
        ]
        records = list(self.example.records())
        choose = random.Random(7)
        for p in poison:
            records.insert(choose.randrange(len(records)),
                           {"topic": "trades", "key": "S00", "headers": [["trace", "t1"]], **p})
        self.kafka.write(records)
        self.start_pipeline(EXAMPLE, *self.arguments)
        dead = self.check(extra_dead=len(poison))
        bad = [r for r in dead if dict(r["headers"])["weir.reason"] == "bad_input"]
        self.assertEqual(len(bad), len(poison))
        source = {(r["partition"], r["offset"]): r for r in self.kafka.read("trades")}
        for letter in bad:
            headers = dict(letter["headers"])
            origin = source[int(headers["weir.partition"]), int(headers["weir.offset"])]
            self.assertEqual(headers["weir.topic"], "trades")
            self.assertEqual(headers["weir.step"], "trades")
            self.assertEqual(headers["trace"], "t1")
            for name in ("key", "value", "value64"):
                self.assertEqual(letter.get(name), origin.get(name))

    def test_broker_restarted_under_load_exactly_once(self):
        self.prepare(6000)
        pipeline = self.start_pipeline(EXAMPLE, *self.arguments)
        writer = self.kafka.write_slowly(self.example.records(), 1000)
        until(lambda: self.kafka.count("trades.enriched") > 500, 30, "the pipeline is under way")
        self.broker.kill()
        until(lambda: pipeline.get("readyz")[0] == 503, 30, "the pipeline says that it is not ready")
        self.assertEqual(pipeline.get("livez")[0], 200)
        self.broker.start()
        self.assertEqual(writer.wait(120), 0)
        self.check()
        self.assertEqual(pipeline.get("readyz")[0], 200)
        self.assertIn(self.broker.bootstrap, pipeline.log())
        self.assertEqual(pipeline.stop(), 0)

    def test_killed_at_random_moments_nothing_is_lost(self):
        self.prepare(6000, seed=3, peer_options=("--delay", "0..50"))
        writer = self.kafka.write_slowly(self.example.records(), 1500)
        choose = random.Random(11)
        for _ in range(4):
            pipeline = self.start_pipeline(EXAMPLE, *self.arguments, wait_ready=False)
            time.sleep(choose.uniform(0.3, 2.0))  # the moment is the point
            pipeline.kill()
        self.assertEqual(writer.wait(120), 0)
        self.start_pipeline(EXAMPLE, *self.arguments)
        self.check()

    def test_copies_come_and_go(self):
        self.prepare(9000, seed=4)
        short = ("--kafka.session.timeout.ms=6000", "--kafka.heartbeat.interval.ms=1000")
        first = self.start_pipeline(EXAMPLE, *self.arguments, *short)
        writer = self.kafka.write_slowly(self.example.records(), 500)
        enriched = lambda: self.kafka.count("trades.enriched")
        until(lambda: enriched() > 1000, 60, "the first copy is under way")
        self.directory = tempfile.mkdtemp(dir=scratch)  # a state directory of its own
        second = self.start_pipeline(EXAMPLE, *self.arguments, *short, wait_ready=False)
        shares = lambda copy: copy.get("metrics")[1].count("weir_watermark") > 0
        until(lambda: shares(first) and shares(second), 60, "both copies have partitions")
        first.kill()  # its partitions are taken over, with their windows and pending rows
        before = enriched()
        until(lambda: enriched() > before + 1000, 60, "the second copy goes on")
        self.assertEqual(writer.wait(120), 0)
        self.check()
        self.assertEqual(second.stop(), 0)

    def test_a_second_copy_with_local_state_is_refused(self):
        self.prepare(100)
        self.kafka.write(self.example.records())
        local = self.with_local_state()
        first = self.start_pipeline(local, *self.arguments, "--set", f"bars={self.directory}/bars.ndjson")
        self.directory = tempfile.mkdtemp(dir=scratch)  # a state directory of its own
        second = self.start_pipeline(local, *self.arguments, "--set", f"bars={self.directory}/bars.ndjson", wait_ready=False)
        self.assertEqual(second.process.wait(60), 7)
        self.assertIn("another copy", second.log())
        self.check()
        self.assertEqual(first.stop(), 0)

    def test_memory_at_5000_records_per_second(self):
        self.prepare(40_000, peer_options=("--delay", "0..5"))
        pipeline = self.start_pipeline(EXAMPLE, *self.arguments)
        writer = self.kafka.write_slowly(self.example.records(), 5000)
        self.assertEqual(writer.wait(120), 0)
        self.check()
        most = pipeline.memory_mb(most=True)
        print(f"memory at 5,000 records/s: {most:.0f} MB", file=sys.stderr)
        self.assertLess(most, 60)


# ---- At least once with state ----------------------------------------------------------------------------------------


class OutputsAtOnce(ExampleTest):
    """The example where outputs leave before the commit: they may come again, and no window counts a trade twice."""

    def setUp(self):
        super().setUp()
        self.source = changed(EXAMPLE, os.path.join(self.directory, "trade_enrichment.weir"),
                              ("pipeline trade_enrichment version 1", "pipeline trade_enrichment version 1 { deliver: at_least_once }"))

    def repeats(self):
        values = [r["value"] for r in self.kafka.read("trades.enriched")]
        return len(values) - len(set(values))

    def test_outputs_are_there_before_the_commit_and_come_again_without_one(self):
        self.prepare(400)
        self.kafka.write(self.example.records())
        enriched = len(list(self.example.enriched()))
        pipeline = self.start_pipeline(self.source, *self.arguments, "--commit-interval", "10m")
        until(lambda: self.kafka.count("trades.enriched") == enriched, 60, "everything is enriched")
        # Its first commit said where it begins.
        self.assertEqual(self.kafka.committed("trade_enrichment", "trades", PARTITIONS), [0] * PARTITIONS)
        pipeline.kill()
        pipeline = self.start_pipeline(self.source, *self.arguments)
        self.check(duplicates=True)
        self.assertEqual(self.repeats(), enriched)
        self.assertEqual(pipeline.stop(), 0)
        # What is committed is not done again.
        self.assertEqual(sum(self.kafka.committed("trade_enrichment", "trades", PARTITIONS)),
                         len(self.example.trades) + len(self.example.closing()))
        self.assertEqual(self.start_pipeline(self.source, *self.arguments).stop(), 0)
        self.assertEqual(self.repeats(), enriched)

    def test_copies_and_the_broker_die_under_load(self):
        self.prepare(9000, seed=8)
        short = ("--kafka.session.timeout.ms=6000", "--kafka.heartbeat.interval.ms=1000")
        enriched = lambda: self.kafka.count("trades.enriched")
        first = self.start_pipeline(self.source, *self.arguments, *short)
        writer = self.kafka.write_slowly(self.example.records(), 500)
        until(lambda: enriched() > 1000, 60, "the first copy is under way")
        self.directory = tempfile.mkdtemp(dir=scratch)  # a state directory of its own
        second = self.start_pipeline(self.source, *self.arguments, *short, wait_ready=False)
        shares = lambda copy: copy.get("metrics")[1].count("weir_watermark") > 0
        until(lambda: shares(first) and shares(second), 60, "both copies have partitions")
        first.kill()  # its partitions are taken over, with their windows and pending rows
        before = enriched()
        until(lambda: enriched() > before + 1000, 60, "the second copy goes on")
        self.broker.kill()
        self.broker.start()
        self.assertEqual(writer.wait(120), 0)
        self.check(duplicates=True)
        self.assertEqual(second.stop(), 0)


# ---- Exactly once over Kafka: starts and ends --------------------------------------------------------------------------


class ExactlyOnce(TestCase):
    REKEYED = os.path.join(HERE, "rekeyed_counts.weir")

    def variant(self, source, *changes):
        """The pipeline with parts of its text replaced."""
        return changed(source, os.path.join(tempfile.mkdtemp(dir=self.directory), os.path.basename(source)), *changes)

    def write(self, topic, trades):
        iso = lambda ms: datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.kafka.write({"topic": topic, "key": t["symbol"], "value": json.dumps({**t, "ts": iso(t["ts"])})}
                         for t in trades)

    def test_an_end_of_input_waits_for_rows_that_are_rekeyed(self):
        self.broker, self.kafka = self.start_broker()
        self.kafka.create("trades", PARTITIONS)
        self.kafka.create("counts", 1)
        trades = [{"id": i, "symbol": f"S{i % 40}", "account": f"A{i % 7}", "ts": START_MS + i} for i in range(700)]
        # The last of each symbol closes the windows before it.
        trades += [{"id": 1000 + i, "symbol": f"S{i}", "account": "LAST", "ts": START_MS + 60_000} for i in range(40)]
        self.write("trades", trades)
        # Longer between commits than the input must stand still before the end.
        pipeline = self.start_pipeline(self.REKEYED, "--set", f"brokers={self.broker.bootstrap}", "--stop-at-end",
                                       "--commit-interval", "1s", wait_ready=False)
        self.assertEqual(pipeline.process.wait(60), 0, pipeline.log())
        got = {json.loads(r["value"])["account"]: json.loads(r["value"])["n"] for r in self.kafka.read("counts")}
        self.assertEqual(got, {f"A{a}": 100 for a in range(7)})

    def codec_of(self, topic):
        """How the broker keeps the first records of a topic; see its log's format."""
        for path in sorted(glob.glob(os.path.join(self.broker.directory, "data", f"{topic}-*", "*.log"))):
            with open(path, "rb") as log:
                head = log.read(23)
            if head:
                return [None, "gzip", "snappy", "lz4", "zstd"][struct.unpack_from(">h", head, 21)[0] & 7]

    def test_topics_may_be_compressed_with_every_codec(self):
        self.broker, self.kafka = self.start_broker()
        trades = [{"id": i, "symbol": f"S{i % 40}", "account": f"A{i % 350}", "ts": START_MS + i} for i in range(700)]
        trades.append({"id": 700, "symbol": "S0", "account": "LAST", "ts": START_MS + 60_000})
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            with self.subTest(codec=codec):
                source, sink = f"trades.{codec}", f"counts.{codec}"
                self.kafka.create(source, 1, compression_type=codec)
                self.kafka.create(sink, 1)
                self.write(source, trades)
                pipeline = self.start_pipeline(
                    self.variant(self.REKEYED, ("pipeline rekeyed_counts", f"pipeline counts_{codec}"),
                                 ('topic("trades")', f'topic("{source}")'), ('topic("counts")', f'topic("{sink}")')),
                    "--set", f"brokers={self.broker.bootstrap}", f"--kafka.compression.type={codec}", "--stop-at-end",
                    wait_ready=False)
                self.assertEqual(pipeline.process.wait(60), 0, pipeline.log())
                got = {json.loads(r["value"])["account"]: json.loads(r["value"])["n"] for r in self.kafka.read(sink)}
                self.assertEqual(got, {f"A{a}": 2 for a in range(350)})
                self.assertEqual([self.codec_of(source), self.codec_of(sink)], [codec, codec])

    def test_a_first_start_at_the_end_reads_nothing_old_with_any_number_of_workers(self):
        self.broker, self.kafka = self.start_broker()
        self.peer = self.start_peer()
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, 8)
        record = lambda i: {"topic": "orders", "key": f"A{i}", "value": json.dumps({"id": i, "account": f"A{i}"})}
        self.kafka.write(record(i) for i in range(400))
        source = self.variant(LookupOrder.SOURCE, (" { deliver: at_least_once }", ""),
                              ("  format: json\n  key:    account\n", "  format: json\n  start:  latest\n"))
        pipeline = self.start_pipeline(source, "--set", f"brokers={self.broker.bootstrap}", "--set",
                                       f"url={self.peer.url}", "--workers", "4")
        # What latest is was decided when each partition was given out.
        until(lambda: min(self.kafka.committed("lookup_order", "orders", 8)) >= 0, 60, "every partition has an offset")
        self.kafka.write(record(i) for i in range(1000, 1100))
        for topic in ("orders.input", "orders.key", "orders.none"):
            until(lambda: self.kafka.count(topic) >= 100, 60, f"what is new is in {topic}")
        self.assertEqual(pipeline.stop(), 0)
        for topic in ("orders.input", "orders.key", "orders.none"):
            ids = sorted(json.loads(r["value"])["id"] for r in self.kafka.read(topic))
            self.assertEqual(ids, list(range(1000, 1100)), topic)

    def test_partitions_are_added_below_pending_rows(self):
        self.broker, self.kafka = self.start_broker()
        self.peer = self.start_peer()
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, 2)
        record = lambda i: {"topic": "orders", "key": f"A{i}", "value": json.dumps({"id": i, "account": f"A{i}"})}
        self.kafka.write(record(i) for i in range(200))
        source = self.variant(LookupOrder.SOURCE, (" { deliver: at_least_once }", ""))
        arguments = ("--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}",
                     "--kafka.topic.metadata.refresh.interval.ms=500")
        pipeline = self.start_pipeline(source, *arguments)
        until(lambda: self.kafka.count("orders.none") >= 200, 60, "the first orders")
        self.kafka.grow("orders", 4)
        self.assertEqual(pipeline.process.wait(60), 7, pipeline.log())
        self.assertIn("start again", pipeline.log())
        self.kafka.write(record(i) for i in range(200, 400))
        again = self.start_pipeline(source, *arguments)
        for topic in ("orders.input", "orders.key", "orders.none"):
            until(lambda: self.kafka.count(topic) >= 400, 60, f"all of {topic}")
            ids = sorted(json.loads(r["value"])["id"] for r in self.kafka.read(topic))
            self.assertEqual(ids, list(range(400)), topic)
        self.assertEqual(again.stop(), 0)

    def test_a_stop_while_the_broker_is_away_ends(self):
        self.broker, self.kafka = self.start_broker()
        self.peer = self.start_peer("--delay", "0..50")
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, PARTITIONS)
        source = self.variant(LookupOrder.SOURCE, (" { deliver: at_least_once }", ""))
        pipeline = self.start_pipeline(source, "--set", f"brokers={self.broker.bootstrap}", "--set",
                                       f"url={self.peer.url}", "--grace", "1s")
        orders = [{"topic": "orders", "key": f"A{i % 50}", "value": json.dumps({"id": i, "account": f"A{i % 50}"})}
                  for i in range(3000)]
        writer = self.kafka.write_slowly(orders, 1000)
        until(lambda: self.kafka.count("orders.none") > 200, 60, "the pipeline is under way")
        self.broker.kill()
        asked = time.monotonic()
        self.assertEqual(pipeline.stop(timeout_s=40), 4, pipeline.log())
        took = time.monotonic() - asked
        self.assertGreater(took, 1 + 5 - 0.1, "the grace time, and five seconds for the commit")
        self.assertLess(took, 1 + 5 + 6, "no time-out of Kafka's is waited for")
        self.assertIn("without its last commit", pipeline.log())
        self.broker.start()
        self.assertEqual(writer.wait(120), 0)
        again = self.start_pipeline(source, "--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}")
        for topic in ("orders.input", "orders.key", "orders.none"):
            until(lambda: self.kafka.count(topic) >= len(orders), 120, f"all of {topic}")
            ids = sorted(json.loads(r["value"])["id"] for r in self.kafka.read(topic))
            self.assertEqual(ids, list(range(len(orders))), topic)
        self.assertEqual(again.stop(), 0)


# ---- Without a changelog ---------------------------------------------------------------------------------------------


class WithoutChangelog(TestCase):
    SOURCE = os.path.join(HERE, "reread.weir")
    CHANGELOG = "reread.orders.changelog"
    OUTPUTS = ("answered", "again")
    # As an earlier version had it: what waits in the order of a key has to be kept.
    KEPT = (("order input", "order key account"),)
    # As a later version may have it: it asks nobody.
    BARE = (("  | lookup account(id) as a { order input, on missing send lost, on failed send lost }\n", ""),
            ("tier: a.tier", 'tier: "none"'))
    # And as one that commits offsets alone.
    PLAIN = (("pipeline reread version 1", "pipeline reread version 2 { deliver: at_least_once }"),)

    def setUp(self):
        super().setUp()
        self.broker, self.kafka = self.start_broker()
        self.peer = self.start_peer()
        for topic in ("orders", *self.OUTPUTS, "lost"):
            self.kafka.create(topic, PARTITIONS)
        self.peer.tell("rule?path=/orders/13*&action=status:404")  # these are missing
        self.settings = ("--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}")
        self.written = []

    def write(self, first, last):
        """Every ninth is filtered out and every tenth cannot be read; partitions have all of each account."""
        orders = [{"id": i, "account": "filtered" if i % 9 == 0 else f"A{i % 40}"} for i in range(first, last)]
        self.kafka.write({"topic": "orders", "key": o["account"], "partition": o["id"] % PARTITIONS,
                          "value": "oops" if o["id"] % 10 == 7 else json.dumps(o)} for o in orders)
        self.written += [o for o in orders if o["account"] != "filtered" and o["id"] % 10 != 7]

    def version(self, **which):
        """The pipeline, or as an earlier or a later version of it: `kept`, `bare`, `plain`."""
        names = [name for name, wanted in which.items() if wanted]
        if not names:
            return self.SOURCE
        return changed(self.SOURCE, os.path.join(self.directory, names[0], "reread.weir"), *getattr(self, names[0].upper()))

    def run_version(self, *arguments, kept=False, bare=False, plain=False, **how):
        source = self.version(kept=kept, bare=bare, plain=plain)
        return self.start_pipeline(source, *self.settings, "--grace", "200ms", *arguments, **how)

    def ended(self, *arguments, **version):
        """Exit code and log of a start that is to fail."""
        pipeline = self.run_version(*arguments, **version, wait_ready=False)
        return pipeline.process.wait(60), pipeline.log()[-3000:]

    def operate(self, *arguments, code=0, **version):
        result = subprocess.run([compiled(self.version(**version)), *arguments, *self.settings, "--state-dir",
                                 os.path.join(self.directory, "state")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=120)
        self.assertEqual(result.returncode, code, result.stdout)
        return result.stdout

    def waiting(self):
        """Requests that have no answer."""
        return self.peer.stats()["in_flight"]

    def hold_orders(self, first, last, least=100):
        self.peer.tell("set?order=hold&record=1")
        self.write(first, last)
        until(lambda: self.waiting() >= least, 60, f"{least} requests wait")

    def release(self):
        self.peer.tell("set?order=each&delay=0..20")
        self.peer.tell("release?order=reversed")

    def leave_waiting(self, first, last):
        """The earlier version has read these orders, and ended while requests of theirs wait in its changelog."""
        old = self.run_version("--leave", kept=True)
        self.hold_orders(first, last)
        until(lambda: sum(self.kafka.committed("reread", "orders", PARTITIONS)) == last - first, 60, "offsets pass what waits")
        self.assertEqual(old.stop(), 0)

    def work_off(self):
        """The earlier version ends what waits."""
        old = self.run_version("--leave", kept=True)
        self.release()
        self.check()
        self.assertEqual(old.stop(), 0)

    def check(self):
        """Each order is in one place, once, and in the order of its partition."""
        missing = [o for o in self.written if str(o["id"]).startswith("13")]
        found = [o for o in self.written if o not in missing]
        until(lambda: self.kafka.count("lost") >= len(missing), 60, "all dead letters")
        for topic in self.OUTPUTS:
            until(lambda: self.kafka.count(topic) >= len(found), 60, f"all of {topic}")
            wanted = [(o["account"], o["id"]) for o in found]
            got = [(json.loads(r["value"])["account"], json.loads(r["value"])["id"]) for r in self.kafka.read(topic)]
            self.assert_same(wanted, got, order="key")
        self.assertEqual(sorted(json.loads(r["value"])["id"] for r in self.kafka.read("lost")),
                         sorted(o["id"] for o in missing))

    def test_what_waits_is_read_again_after_a_kill(self):
        pipeline = self.run_version("--no-create", "--workers", "2")
        self.peer.tell("set?delay=0..20")
        self.write(0, 600)
        self.check()
        self.hold_orders(600, 1000)
        # Offsets go as far as the first that waits: what is filtered out or missing behind it stays above.
        held = [o["id"] for o in self.written if o["id"] >= 600]
        first = [min(id for id in held if id % PARTITIONS == p) // PARTITIONS for p in range(PARTITIONS)]
        until(lambda: self.kafka.committed("reread", "orders", PARTITIONS) == first, 60,
              "the offsets are those of the first requests that wait")
        before = {entry["path"] for entry in self.peer.log()}
        pipeline.kill()
        self.assertNotIn(self.CHANGELOG, self.kafka.topics())
        self.release()
        again = self.run_version("--no-create", "--standby", "--workers", "1")
        self.write(1000, 1500)
        self.check()
        asked = Counter(entry["path"] for entry in self.peer.log())
        self.assertGreaterEqual(sum(1 for path in before if asked[path] > 1), 100)
        self.assertEqual(again.stop(), 0)
        self.assertNotIn(self.CHANGELOG, self.kafka.topics())

    def test_a_changelog_of_an_earlier_version_stays_in_use(self):
        self.leave_waiting(0, 450)
        self.assertIn("pending requests", self.operate("state", "list"))
        self.assertIn(self.CHANGELOG, self.operate("check"))
        self.release()
        new = self.run_version("--leave")
        self.write(450, 1000)
        self.check()
        self.assertEqual(new.stop(), 0)
        # Until it is not wanted any more.
        self.assertIn(f"deletes topic {self.CHANGELOG}", self.operate("reset", "--to", "committed", "--yes"))
        after = self.run_version()
        self.write(1000, 1100)
        self.check()
        self.assertEqual(after.stop(), 0)
        self.assertNotIn(self.CHANGELOG, self.kafka.topics())

    def test_a_version_that_commits_offsets_alone_does_not_forget_what_waits(self):
        self.leave_waiting(0, 450)
        code, log = self.ended(plain=True)
        self.assertEqual(code, 7, log)
        self.assertIn("topic `orders`, partition", log)
        self.assertIn("`reset --to committed`", log)
        self.work_off()
        self.operate("reset", "--to", "committed", "--yes", plain=True)
        new = self.run_version(plain=True)
        self.write(450, 1000)
        self.check()
        self.assertEqual(new.stop(), 0)

    def test_a_changelog_that_was_deleted_with_what_waited_in_it_is_missed(self):
        self.leave_waiting(200, 650)
        self.kafka.delete(self.CHANGELOG)
        self.release()
        code, log = self.ended("--leave")
        self.assertEqual(code, 3, log)
        self.assertIn(self.CHANGELOG, log)
        self.assertIn("reset --to committed", log)
        # Read once more, they come out.
        self.operate("reset", *(f"--to=orders/{p}@0" for p in range(PARTITIONS)), "--yes")
        new = self.run_version()
        self.check()
        self.assertEqual(new.stop(), 0)

    def test_a_version_without_the_lookup_forgets_nothing_that_waits(self):
        self.leave_waiting(0, 450)
        code, log = self.ended(bare=True)
        self.assertEqual(code, 3, log)
        for part in (self.CHANGELOG, "`answered.a` (pending requests of a lookup)", "`state list`", "`reset`", '"at":"reread.weir:15"'):
            self.assertIn(part, log)
        self.assertIn(self.CHANGELOG, self.operate("check", bare=True))
        # The version that asked them has to end them.
        self.work_off()
        bare = self.run_version("--leave", bare=True)
        self.write(450, 600)
        self.check()
        self.assertEqual(bare.stop(), 0)
        # Where it was deleted, the offsets tell that it is missing.
        self.kafka.delete(self.CHANGELOG)
        code, log = self.ended(bare=True)
        self.assertEqual(code, 3, log)
        self.assertIn(self.CHANGELOG, log)
        self.operate("reset", "--to", "committed", "--yes", bare=True)
        bare = self.run_version(bare=True)
        self.write(600, 700)
        self.check()
        self.assertEqual(bare.stop(), 0)

    def test_a_version_that_makes_a_changelog_goes_on_and_may_be_taken_back(self):
        new = self.run_version("--leave")
        self.peer.tell("set?delay=0..20")
        self.write(0, 400)
        self.check()
        self.hold_orders(400, 800)
        self.assertEqual(new.stop(), 0)
        self.release()
        kept = self.run_version("--leave", kept=True)
        self.check()
        self.hold_orders(800, 1200)
        self.assertEqual(kept.stop(), 0)
        self.assertIn(self.CHANGELOG, self.kafka.topics())
        self.release()
        back = self.run_version()
        self.write(1200, 1500)
        self.check()
        self.assertEqual(back.stop(), 0)

    def test_without_offsets_it_begins_where_start_says_and_tells(self):
        first = self.run_version("--leave")
        self.write(0, 400)
        self.check()
        self.assertEqual(first.stop(), 0)
        self.operate("reset", "--yes")  # the group's offsets are gone, as when they expire
        self.assertEqual(self.kafka.committed("reread", "orders", PARTITIONS), [-1] * PARTITIONS)
        second = self.run_version("--start", "latest")
        until(lambda: min(self.kafka.committed("reread", "orders", PARTITIONS)) >= 0, 60, "every partition has an offset")
        self.write(400, 500)
        self.check()
        self.assertIn(f"the group has no offset for {PARTITIONS} of the {PARTITIONS} partitions of source `orders` that are read here: "
                      "as at a first start they begin at " + ", ".join(f"100 (partition {p})" for p in range(PARTITIONS)), second.log())
        self.assertEqual(second.stop(), 0)


# ---- Lookups in each order -------------------------------------------------------------------------------------------


class LookupOrder(TestCase):
    SOURCE = os.path.join(HERE, "lookup_order.weir")

    def prepare(self, orders, accounts=25):
        choose = random.Random(5)
        self.broker, self.kafka = self.start_broker()
        for topic in ("orders", "orders.input", "orders.key", "orders.none"):
            self.kafka.create(topic, PARTITIONS)
        self.peer = self.start_peer()
        self.orders = [{"id": i, "account": f"ACC-{choose.randrange(accounts)}"} for i in range(orders)]
        self.arguments = ["--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}"]

    def records(self):
        return [{"topic": "orders", "key": o["account"], "value": json.dumps(o)} for o in self.orders]

    def check(self, duplicates=False):
        for topic in ("orders.input", "orders.key", "orders.none"):
            until(lambda: self.kafka.count(topic) >= len(self.orders), 120, f"all of {topic}")
        # The account's tier is not worked out here: it must be the same wherever it comes.
        tiers = {}
        got = {}
        for topic in ("orders.input", "orders.key", "orders.none"):
            got[topic] = self.kafka.read(topic)
            for record in got[topic]:
                value = json.loads(record["value"])
                self.assertEqual(tiers.setdefault(value["account"], value["tier"]), value["tier"])
        wanted = [(o["account"], o["id"]) for o in self.orders]
        for topic, order in (("orders.key", "key"), ("orders.none", "none")):
            actual = [(json.loads(r["value"])["account"], json.loads(r["value"])["id"]) for r in got[topic]]
            self.assert_same(wanted, actual, order=order, duplicates=duplicates)
        # `order input`: each input partition's order. Keys keep their partition, so it shows in the output's.
        partition_of = {r["key"]: r["partition"] for r in self.kafka.read("orders")}
        wanted = [(partition_of[o["account"]], o["id"]) for o in self.orders]
        actual = [(r["partition"], json.loads(r["value"])["id"]) for r in got["orders.input"]]
        self.assert_same(wanted, actual, order="key", duplicates=duplicates)

    def test_answers_in_random_order(self):
        self.prepare(4000)
        self.peer.tell("set?delay=0..30&seed=3")
        self.kafka.write(self.records())
        self.start_pipeline(self.SOURCE, *self.arguments)
        self.check()
        self.assertGreaterEqual(self.peer.stats()["in_flight_max"], 100)

    def test_answers_in_exactly_reversed_order(self):
        self.prepare(2000)
        self.peer.tell("set?reverse=32&group_wait=100&record=1")
        self.kafka.write(self.records())
        self.start_pipeline(self.SOURCE, *self.arguments)
        self.check()
        # They were reversed indeed: of each full group the last that asked was answered first.
        log = self.peer.log()
        answered = [entry["answered_as"] for entry in log]
        backwards = sum(a > b for a, b in zip(answered, answered[1:]))
        self.assertGreater(backwards, len(answered) * 0.8)

    def test_service_down_for_30_seconds(self):
        self.prepare(6000)
        self.peer.tell("set?delay=0..5")
        pipeline = self.start_pipeline(self.SOURCE, *self.arguments)
        writer = self.kafka.write_slowly(self.records(), 1000)
        until(lambda: self.kafka.count("orders.key") > 500, 30, "the pipeline is under way")
        memory = pipeline.memory_mb()
        self.peer.tell("down")
        down_since = time.monotonic()
        self.assertEqual(writer.wait(60), 0)
        stuck = None
        while time.monotonic() - down_since < 30:  # the outage itself
            self.assertEqual(pipeline.get("livez")[0], 200)
            time.sleep(1)
            stuck = self.kafka.count("orders.key")
        self.assertLess(stuck, len(self.orders))
        self.assertLess(pipeline.memory_mb(), memory + 40)
        self.peer.tell("up")
        self.check()
        self.assertEqual(pipeline.stop(), 0)

    def test_broker_restarted_under_load_at_least_once(self):
        self.prepare(6000)
        self.peer.tell("set?delay=0..5")
        pipeline = self.start_pipeline(self.SOURCE, *self.arguments)
        writer = self.kafka.write_slowly(self.records(), 1000)
        until(lambda: self.kafka.count("orders.key") > 500, 30, "the pipeline is under way")
        self.broker.kill()
        self.broker.start()
        self.assertEqual(writer.wait(120), 0)
        # A member that the group lost reads its partitions again from the last commit.
        self.check(duplicates=True)
        self.assertEqual(pipeline.stop(), 0)
        self.assertEqual(sum(self.kafka.committed("lookup_order", "orders", PARTITIONS)), len(self.orders))


if __name__ == "__main__":
    passed_cases.main()
