#!/usr/bin/env python3
"""A pipeline from file to file is killed again and again while requests are pending; its outputs come out exactly once.

Each order asks a real HTTP service under its own path, so the service's log says what was pending when the process died
and that it was asked for again. What has to be written is worked out here, from the input alone.
"""

import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import unittest
from datetime import datetime, timezone
from decimal import Decimal

import passed_cases
from harness import BUILD, HERE, Kafka, Peer, Pipeline, build, changed
from kafka_broker import KafkaBroker
from outputs import differences
from process import wait_until

SEED = int(os.environ.get("WEIR_CRASH_SEED", "20260102"))
ROUNDS = 10           # kills at random moments
CUTS = 2              # kills at least that left output behind a commit, to be cut off; every third aims at that
MOST_LIVES = 30
ORDERS = 36_000
PENDING = 100         # requests that must be pending at each kill
MOST_PER_LIFE = 2000  # requests of a life before its kill is due: the input must outlast all of them
START_MS = 1_767_344_400_000
HOUR_MS = 3_600_000
OUTPUTS = ("priced", "volumes", "dead")
SYMBOLS = [f"S{i}" for i in range(8)]


def text_of(ms):
    return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(**fields):
    return tuple(sorted(fields.items()))


def decoded(line, names=None):
    """The fields (only those of these names) in order of name, numbers as Decimal: 1.50 and 1.5 are equal. A torn line
    stays text."""
    try:
        fields = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return line
    return row(**{name: value for name, value in fields.items() if names is None or name in names})


def lines_of(path):
    """The lines of an output; a line without its end would be a torn one."""
    with open(path) as file:
        text = file.read()
    if text and not text.endswith("\n"):
        raise AssertionError(f"{path} ends in the middle of a line")
    return text.splitlines()


class Orders:
    """The input, and what the pipeline must make of it."""

    def __init__(self, seed, count=ORDERS):
        choose = random.Random(seed)
        self.lines = []
        self.quotes = []
        self.priced = []  # in order of input
        self.dead = []    # with the line's offset in the input, so that no two are equal
        windows = {}
        offset = 0
        for i in range(count):
            kind = choose.random()
            # Behind a part of the input that is longer than all that is read ahead, an hour back is late for certain.
            late = i > 10_000 and kind < 0.005
            order = {"id": i, "symbol": choose.choice(SYMBOLS), "qty": choose.randrange(1, 1000),
                     "ts": START_MS + i * 2 - (HOUR_MS if late else choose.randrange(1500))}
            line = json.dumps(order)
            bad, missing = 0.01 < kind < 0.015, 0.02 < kind < 0.03
            if bad:
                line = line[:-choose.randrange(2, 12)]
                self.dead.append(row(reason="bad_input", offset=offset, value=line))
            elif missing:
                self.dead.append(row(reason="lookup_missing", offset=offset, value=line))
            else:
                price = Decimal(choose.randrange(1, 5_000_000)) / 10_000
                self.quotes.append({"id": i, "price": str(price)})
                self.priced.append(row(id=i, symbol=order["symbol"], qty=order["qty"], price=price,
                                       notional=price * order["qty"]))
                if late:
                    self.dead.append(row(reason="late", offset=offset, value=line))
                else:
                    key = order["ts"] // 1000 * 1000, order["symbol"]
                    count, qty, notional, first, _ = windows.get(key, (0, 0, 0, i, i))
                    windows[key] = count + 1, qty + order["qty"], notional + price * order["qty"], first, i
            self.lines.append(line)
            offset += len(line) + 1
        self.volumes = []  # in order of start and symbol
        for (start, symbol), (count, qty, notional, first, last) in sorted(windows.items()):
            self.volumes.append(row(symbol=symbol, start=text_of(start), orders=count, qty=qty, notional=notional,
                                    first=first, last=last))


class LocalTest(unittest.TestCase):
    ORDERS = ORDERS

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="weir-local-crash-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.choose = random.Random(SEED)
        self.orders = Orders(SEED, self.ORDERS)
        self.write("input.ndjson", self.orders.lines)
        self.write("quotes.ndjson", [json.dumps(q) for q in self.orders.quotes])
        self.peer = Peer("--data", self.path("quotes.ndjson"))
        self.addCleanup(self.peer.close)
        # Long beside a commit: a worker that waits for the disk must not find all its requests answered.
        self.peer.tell(f"set?record=1&seed={SEED}&delay=20..250")
        arguments = ["--set", f"url={self.peer.url}"]
        for name in ("input", *OUTPUTS):
            arguments += ["--set", f"{name}={self.path(name + '.ndjson')}"]
        binary = build(os.path.join(HERE, "local_crash.weir"), self.directory)
        self.pipeline = Pipeline(binary, self.directory, *arguments)
        self.addCleanup(self.pipeline.kill)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, lines):
        with open(self.path(name), "w") as file:
            file.writelines(line + "\n" for line in lines)

    def written(self, names=OUTPUTS):
        """Bytes in the outputs."""
        paths = [self.path(name + ".ndjson") for name in names]
        return sum(os.path.getsize(path) for path in paths if os.path.exists(path))

    def check(self, times=1):
        # Dead letters of several steps have no order among each other. All else is in one order, as of one key.
        self.compare("priced", self.orders.priced * times, "key")
        self.compare("volumes", self.orders.volumes * times, "key")
        self.compare("dead", self.orders.dead * times, "none", ("reason", "offset", "value"))

    def compare(self, output, expected, order, names=None):
        written = [decoded(line, names) for line in lines_of(self.path(output + ".ndjson"))]
        problems = differences([("", r) for r in expected], [("", r) for r in written], order=order)
        self.assertFalse(problems, f"{output}:\n" + "\n".join(problems))
        print(f"{output}: {len(written)} lines, each expected, none too often", file=sys.stderr)

    def metrics(self):
        """name → value; nothing before the process serves them."""
        _, text = self.pipeline.get("metrics")
        return {name: float(value) for name, value in re.findall(r"^(\w+)\{[^}]*\} (\S+)$", text, re.M)}


class LocalCrash(LocalTest):
    def take_log(self):
        """What was asked since the last time, and what of it has no answer; the process must be gone."""
        before = None

        def settled():
            nonlocal before
            last, before = before, self.peer.stats()
            return before["in_flight"] == 0 and before == last

        wait_until(settled, 10, "the service has noticed that the process is gone")
        log = self.peer.log()
        self.peer.tell("clear")
        return {entry["path"] for entry in log}, {entry["path"] for entry in log if entry["answered_as"] == 0}

    def run_and_kill(self, mid_commit):
        """One life. The metrics just before the kill, and how much of the outputs was kept when it began."""
        due = self.peer.stats()["requests"] + self.choose.randrange(MOST_PER_LIFE)
        kept = self.written()
        self.pipeline.start(wait_ready=False)

        def under_way():
            nonlocal kept
            kept = min(kept, self.written())
            return self.peer.stats()["requests"] >= due

        wait_until(under_way, 30, "the service is asked", pause_s=0.005)
        seen = {}

        def much_is_pending():
            nonlocal seen
            time.sleep(self.choose.uniform(0, 0.1))  # anywhere between two commits: the moment is the point
            seen = self.metrics()
            return seen.get("weir_lookup_inflight", 0) >= PENDING

        wait_until(much_is_pending, 30, "requests are pending", pause_s=0)
        if mid_commit:
            output = [self.choose.choice(OUTPUTS)]
            before = self.written(output)
            wait_until(lambda: self.written(output) > before, 30, f"{output[0]} is written", pause_s=0)
        self.pipeline.kill()
        return seen, kept

    def test_killed_with_requests_pending(self):
        print(f"seed {SEED} (WEIR_CRASH_SEED sets another)", file=sys.stderr)
        asked_before, owed = set(), set()
        life = rounds = cuts = left = 0
        while (rounds < ROUNDS or cuts < CUTS) and life < MOST_LIVES:
            life += 1
            mid_commit = life % 3 == 0
            seen, kept = self.run_and_kill(mid_commit)
            asked, unanswered = self.take_log()
            again = asked & asked_before
            # The service knows best what was pending. A kill that found the process behind with its reading has to be
            # survived as well, but is not one of the rounds; nor is one whose moment was chosen.
            counts = not mid_commit and len(unanswered) >= PENDING
            kind = "mid commit" if mid_commit else f"round {rounds + 1}" if counts else "not counted"
            restored, in_flight = seen["weir_lookup_restored_rows_total"], seen["weir_lookup_inflight"]
            print(f"{kind:11} at start: {left - kept:5} bytes cut, {restored:4.0f} rows restored;  "
                  f"asked {len(asked):4}, again {len(again):4}, of those pending at a kill {len(asked & owed):4} of "
                  f"{len(owed):4};  killed with {in_flight:4.0f} in flight, {len(unanswered):3} without an answer",
                  file=sys.stderr)
            if life > 1:
                self.assertTrue(again, "nothing was asked again after a kill")
            # A request that was pending at a kill is owed until it is asked again, in the next life or later.
            owed = (owed - asked) | unanswered
            asked_before |= asked
            rounds += counts
            cuts += left > kept
            left = self.written()

        self.pipeline.start(wait_ready=False)
        self.assertEqual(self.pipeline.process.wait(60), 0, self.pipeline.log()[-3000:])
        self.check()
        asked, _ = self.take_log()
        self.assertTrue(asked & asked_before, "nothing was asked again after the last kill")
        self.assertFalse(owed - asked, "requests that were pending at a kill and never asked again")
        self.assertGreaterEqual(rounds, ROUNDS, f"kills with {PENDING} requests pending")
        self.assertGreaterEqual(cuts, CUTS, "kills that left something to be cut off")
        # Started once more it has nothing to do, and does nothing.
        left = self.written()
        self.pipeline.start(wait_ready=False)
        self.assertEqual(self.pipeline.process.wait(30), 0, self.pipeline.log()[-3000:])
        self.assertEqual(self.written(), left)
        self.assertFalse(self.take_log()[0])

    def test_a_full_disk_ends_it_until_there_is_room(self):
        full = set()
        limit = 128 << 10
        while True:
            self.pipeline.file_bytes_max = limit
            self.pipeline.start(wait_ready=False)
            code = self.pipeline.process.wait(60)
            if code == 0:
                break
            log = self.pipeline.log()
            self.assertEqual(code, 6, log[-3000:])
            last = json.loads(log.splitlines()[-1])
            named = [name for name in ("state", *OUTPUTS) if self.path(name) in last["msg"]]
            # A write that was cut short is an I/O error to LMDB.
            self.assertTrue(named and re.search("File too large|Input/output error", last["msg"]), log[-3000:])
            full.update(named)
            limit += limit // 2
        self.assertTrue({"state", "priced"} <= full, full)
        self.check()


# Prices go to standard output instead of a file.
TO_STDOUT = ("ndjson(priced)", "stdout"), ("param priced:  string\n", "")


class Lives(LocalTest):
    ORDERS = 8000
    PER_LIFE = 2500  # requests

    def change(self, *changes):
        """The pipeline with texts replaced, prices on its standard output; settings of params that are gone are left out."""
        source = changed(os.path.join(HERE, "local_crash.weir"), self.path("changed.weir"), *changes)
        with open(source) as file:
            text = file.read()
        arguments = self.pipeline.arguments
        kept = [a for i in range(0, len(arguments), 2) for a in arguments[i:i + 2]
                if f"\nparam {arguments[i + 1].split('=')[0]}:" in text]
        self.pipeline = Pipeline(build(source, self.directory), self.directory, *kept)
        self.pipeline.stdout_path = self.path("priced.ndjson")
        self.seen = 0
        self.addCleanup(self.pipeline.kill)

    def told(self):
        """What came on standard output since the last time: whole lines."""
        with open(self.path("priced.ndjson")) as file:
            lines = file.read().splitlines(keepends=True)[self.seen:]
        self.seen += len(lines)
        return [decoded(line) for line in lines if line.endswith("\n")]

    def run_for(self, requests):
        """A life that is killed when it has asked as often, and has written since."""
        before, asked = self.written(), self.peer.stats()["requests"]
        self.pipeline.start(wait_ready=False)
        wait_until(lambda: self.peer.stats()["requests"] >= asked + requests and self.written() != before, 30,
                   "outputs are written", pause_s=0.01)
        self.pipeline.kill()

    def run_to_the_end(self):
        self.pipeline.start(wait_ready=False)
        self.assertEqual(self.pipeline.process.wait(60), 0, self.pipeline.log()[-3000:])


class ReaderGone(Lives):
    def test_a_reader_of_standard_output_that_has_gone_ends_it_and_nothing_of_the_epoch_is_committed(self):
        self.change(*TO_STDOUT)
        # From the very beginning, and behind a life whose output was read.
        first = []
        for _ in range(2):
            read_until, nobody = os.pipe()
            os.close(read_until)
            output, self.pipeline.stdout_path = self.pipeline.stdout_path, f"/dev/fd/{nobody}"
            for _ in range(2):
                self.pipeline.start(wait_ready=False)
                self.assertEqual(self.pipeline.process.wait(60), 6, self.pipeline.log()[-3000:])
                error = json.loads(self.pipeline.log().splitlines()[-1])
                self.assertEqual(error["level"], "error")
                self.assertIn("writing stdout: Broken pipe", error["msg"])
            os.close(nobody)
            self.pipeline.stdout_path = output
            if not first:
                self.run_for(self.PER_LIFE)
                first = self.told()
        self.run_to_the_end()
        last = self.told()
        expected = self.orders.priced
        self.assertEqual(first, expected[:len(first)])
        self.assertEqual(last, expected[len(expected) - len(last):])
        self.assertLess(len(last), len(expected), "the life in between committed nothing")
        self.assertGreaterEqual(len(first) + len(last), len(expected), "what nobody read is not there again")
        self.compare("volumes", self.orders.volumes, "key")
        self.compare("dead", self.orders.dead, "none", ("reason", "offset", "value"))


class OldState(Lives):
    """Somebody puts an older copy of the state directory back."""

    def setUp(self):
        super().setUp()
        self.state, self.old = self.path("state"), self.path("state.old")

    def put_back(self):
        shutil.rmtree(self.state)
        shutil.copytree(self.old, self.state)

    def test_an_older_state_that_is_put_back_takes_files_back_to_its_time(self):
        self.run_for(self.PER_LIFE)
        shutil.copytree(self.state, self.old)
        then = self.written()
        self.peer.tell("clear")
        self.run_for(self.PER_LIFE)
        self.assertGreater(self.written(), then)
        since = {entry["path"] for entry in self.peer.log() if entry["answered_as"] != 0}
        self.peer.tell("clear")
        self.put_back()
        self.run_to_the_end()
        self.check()
        again = {entry["path"] for entry in self.peer.log()}
        self.assertGreater(len(since & again), self.PER_LIFE // 2, "what was done since was not done again")

    def test_a_state_from_before_the_first_commit_that_is_put_back_is_as_none(self):
        """A start commits how long the output files are. Only what was copied before that is no state."""
        arguments = list(self.pipeline.arguments)
        self.pipeline.arguments += ["--commit-interval", "1h"]
        self.pipeline.start(wait_ready=False)
        wait_until(lambda: self.peer.stats()["requests"] >= 100, 30, "requests are sent")
        self.pipeline.kill()
        self.pipeline.arguments = arguments
        shutil.copytree(self.state, self.old)
        for _ in range(2):
            self.run_to_the_end()
            self.check()
            self.put_back()

        shutil.rmtree(self.old)
        self.kill_before_a_commit()
        shutil.copytree(self.state, self.old)
        for output in OUTPUTS:
            os.remove(self.path(output + ".ndjson"))
        for times in (1, 2):
            self.run_to_the_end()
            self.check(times)
            self.put_back()
        shutil.rmtree(self.state)
        self.run_to_the_end()
        self.check(times=3)

    def kill_before_a_commit(self):
        """Leaves a state directory that nothing was committed to yet."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.pipeline.under = [os.path.join(BUILD, "tests", "servers", "disk_fault"), self.directory, "1", "kill"]
        while not os.path.exists(os.path.join(self.state, "data.mdb")):
            shutil.rmtree(self.state, ignore_errors=True)
            self.pipeline.start(wait_ready=False)
            self.assertEqual(self.pipeline.process.wait(30), 137, self.pipeline.log()[-3000:])
            self.pipeline.under[2] = str(int(self.pipeline.under[2]) + 1)
        self.pipeline.under = []

    def test_an_older_state_that_is_put_back_sends_again_what_went_elsewhere(self):
        """To standard output and to Kafka: there again, nothing lost."""
        broker = KafkaBroker()
        self.addCleanup(broker.close)
        broker.start()
        kafka = Kafka(broker)
        kafka.create("volumes", 1)
        self.change(("param volumes: string\n", ""), ("ndjson(volumes)", 'main.topic("volumes") { format: json }'),
                    ("connection desk", f'connection main = kafka {{ brokers: "{broker.bootstrap}" }}\nconnection desk'), *TO_STDOUT)
        told = self.told
        self.run_for(self.PER_LIFE)
        shutil.copytree(self.state, self.old)
        first = told()
        self.run_for(self.PER_LIFE)
        since = told()
        volumes_then = kafka.count("volumes")
        self.put_back()
        self.run_to_the_end()
        last = told()
        # Each life goes on at the copy's time, and the third one reaches the end.
        self.assertGreater(len(since), 100)
        self.assertEqual(since, last[:len(since)], "what came since the copy comes again")
        expected = self.orders.priced
        self.assertEqual(last, expected[len(expected) - len(last):])
        self.assertGreaterEqual(len(first) + len(last), len(expected), "something is lost")
        self.assertEqual(first, expected[:len(first)])
        volumes = [decoded(record["value"]) for record in kafka.read("volumes")]
        self.assertEqual(set(volumes), set(self.orders.volumes))
        self.assertGreater(volumes_then, 0)
        self.assertGreater(len(volumes), len(self.orders.volumes), "what went to Kafka since the copy is not there again")
        # What is in files is there once.
        self.compare("dead", self.orders.dead, "none", ("reason", "offset", "value"))


if __name__ == "__main__":
    passed_cases.main()
