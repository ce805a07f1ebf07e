#!/usr/bin/env python3
"""Copies of a pipeline between topics of a real broker are killed, stopped, replaced and joined, and the broker restarted,
round after round while orders come at a steady rate. All that comes out has to be there exactly once.

Each order asks a real HTTP service under its own paths, so the service's log says what was pending at a fault and that it
was asked for again. What has to come out is worked out here, from the input alone. Exit code 1: something was wrong; the
logs are kept and named.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from harness import BUILD, Kafka, Peer, Pipeline, build, now, until  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from outputs import differences  # noqa: E402
from passed_cases import write as write_passed_cases  # noqa: E402
from process import die_with_parent  # noqa: E402

PARTITIONS = 4
PENDING = 100        # requests that must be pending at each fault
PENDING_THERE = 25   # requests that the copy must have which the fault happens to: as many come to one partition
RATE = 200           # orders per second
DELAY_MS = "50..650"
SESSION_MS = 6000
MOST_ROUND_S = 60    # orders enough for so long a round are prepared
LATE_FROM = 2000     # behind what is read ahead at the start, an hour back is late for certain
START_MS = 1_767_344_400_000
HOUR_MS = 3_600_000
ACCOUNTS = 60
SYMBOLS = 8
MODES = ("input", "key", "none")
READ = ("orders", "crash.by_symbol.window.rekey.rekey")
OUTPUTS = ("priced.input", "priced.key", "priced.none", "by.account", "by.symbol")
SETTINGS = ("--grace", "100ms", f"--kafka.session.timeout.ms={SESSION_MS}", "--kafka.heartbeat.interval.ms=1000")
FAULTS = ("kill one", "kill all", "stop", "hand over", "join", "broker stop", "broker kill")
# After these a request need not be asked for again: it may be answered within the grace time, stay with its worker, or end
# before its partition moves. Such a round counts when one was asked for again.
MAY_MOVE_NOTHING = ("hand over", "join", "broker stop", "broker kill")


class Wrong(Exception):
    """What the suite is there to find."""


# ---- Input, and what must become of it -------------------------------------------------------------------------------


def text_of(ms):
    return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(fields):
    """A hash of all fields, numbers by value: 1.50 and 1.5 are equal."""
    parts = [f"{name}={value.normalize():f}" if isinstance(value, Decimal) else f"{name}={value}"
             for name, value in sorted(fields.items())]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def decoded(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


class Orders:
    """Order i and all about it are functions of the seed and i."""

    def __init__(self, seed):
        self.seed = seed

    def make(self, i):
        choose = random.Random(f"{self.seed}.{i}")
        kind = choose.random()
        order = {"id": i, "account": f"A{choose.randrange(ACCOUNTS):02}", "symbol": f"S{choose.randrange(SYMBOLS)}",
                 "qty": choose.randrange(1, 1000), "ts": START_MS + i * 1000 // RATE - choose.randrange(1500)}
        price = Decimal(choose.randrange(1, 5_000_000)) / 10_000
        late = kind < 0.005 and i > LATE_FROM
        if late:
            order["ts"] -= HOUR_MS
        line = json.dumps(order)
        missing, bad = 0.01 < kind < 0.02, 0.02 < kind < 0.025
        if bad:
            line = line[:-choose.randrange(2, 8)]
        return order, line, None if missing else price, late, bad

    def record(self, i):
        order, line, *_ = self.make(i)
        return {"topic": "orders", "key": order["account"], "value": line}

    def write_quotes(self, path, count):
        with open(path, "w") as out:
            for i in range(count):
                price = self.make(i)[2]
                if price is not None:
                    out.write(f'{{"id": {i}, "price": "{price}"}}\n')


class Model:
    """What must be in each topic after the first `count` orders."""

    def __init__(self, orders, count):
        self.priced = []      # (account, (id, hash)) in order of input
        self.lost = []        # ((step, reason), value)
        accounts, symbols = {}, {}
        for i in range(count):
            order, line, price, late, bad = orders.make(i)
            if bad:
                self.lost.append((("orders", "bad_input"), line))
                continue
            if price is None:
                self.lost += [((f"in_{mode}", "lookup_missing"), line) for mode in MODES]
                continue
            notional = price * order["qty"]
            row = {"id": Decimal(i), "account": order["account"], "symbol": order["symbol"],
                   "qty": Decimal(order["qty"]), "price": price, "notional": notional}
            self.priced.append((order["account"], (i, canonical(row))))
            if late:
                self.lost += [((step, "late"), line) for step in ("by_account", "by_symbol")]
                continue
            for windows, key, size in ((accounts, order["account"], 2000), (symbols, order["symbol"], 1000)):
                at = order["ts"] // size * size, key
                n, qty, sum_, first, _ = windows.get(at, (0, 0, Decimal(0), i, i))
                windows[at] = n + 1, qty + order["qty"], sum_ + notional, first, i
        self.by_account = self._results("account", accounts)
        self.by_symbol = self._results("symbol", symbols)

    @staticmethod
    def _results(name, windows):
        """(key, (start, hash)) in order of start."""
        return [(key, (text_of(start), canonical({
            name: key, "start": text_of(start), "orders": Decimal(n), "qty": Decimal(qty), "notional": notional,
            "first": Decimal(first), "last": Decimal(last)})))
            for (start, key), (n, qty, notional, first, last) in sorted(windows.items())]


class Writer:
    """Orders at a steady rate until it is told to end; a broker that is away makes it wait."""

    def __init__(self, orders, bootstrap, most, log_path):
        self.orders, self.most, self.written = orders, most, 0
        self._ending = threading.Event()
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        with open(log_path, "wb") as log:
            self._process = subprocess.Popen([tool, bootstrap, "write", str(RATE * 2)], stdin=subprocess.PIPE, stderr=log,
                                             text=True, preexec_fn=die_with_parent)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        step = RATE // 10
        due = now()
        try:
            while not self._ending.is_set() and self.written < self.most:
                lines = [json.dumps(self.orders.record(i)) + "\n" for i in range(self.written, self.written + step)]
                self._process.stdin.write("".join(lines))
                self._process.stdin.flush()
                self.written += step
                due = max(due + step / RATE, now() - 1)
                self._ending.wait(max(0, due - now()))
            self._process.stdin.close()
        except BrokenPipeError:  # it says why itself
            pass

    def check(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"orders are no longer written: kafka_tool ended with {self._process.returncode}")

    def end(self):
        self._ending.set()
        self._thread.join(60)
        if self._process.wait(60) != 0:
            raise RuntimeError("not all orders could be written")
        return self.written

    def kill(self):
        self._ending.set()
        self._process.kill()
        self._process.wait()


# ---- The suite -------------------------------------------------------------------------------------------------------


class Suite:
    def __init__(self, rounds, seed, kinds, directory):
        self.rounds, self.seed, self.kinds, self.directory = rounds, seed, kinds, directory
        self.choose = random.Random(seed)
        self.orders = Orders(seed)
        self.copies = []
        self.copies_made = 0
        self.broker = KafkaBroker(directory=os.path.join(directory, "broker"))
        self.kafka = Kafka(self.broker)
        self.peer = self.writer = None
        self.times = defaultdict(list)
        self.counted = 0
        self.began = now()

    # ---- Copies ----

    def copy(self, directory=None):
        """Starts a copy: on the state directory of one that ended, or on its own."""
        if directory is None:
            self.copies_made += 1
            directory = os.path.join(self.directory, f"copy-{self.copies_made}")
            os.mkdir(directory)
        workers = self.choose.choice((1, 2))
        arguments = ["--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}", *SETTINGS,
                     "--workers", str(workers)]
        if self.choose.random() < 0.5:
            arguments.append("--leave")
        pipeline = Pipeline(self.binary, directory, *arguments)
        pipeline.name = os.path.basename(directory)
        self.copies.append(pipeline)
        return pipeline.start(wait_ready=False)

    def again(self, ended):
        """A copy in place of one that is gone: as likely on its state directory as on another machine."""
        return self.copy(ended.directory if self.choose.random() < 0.5 else None)

    def kill(self, copy):
        copy.kill()
        self.copies.remove(copy)

    def alive(self):
        for copy in self.copies:
            if copy.process.poll() is not None:
                raise Wrong(f"{copy.name} ended by itself with {copy.process.returncode}:\n{copy.log()[-3000:]}")
        self.writer.check()

    def busy(self):
        """Copies with requests under way: the partitions that each of them holds, and its requests."""
        self.alive()
        found = {}
        for copy in self.copies:
            _, text = copy.get("metrics")
            held = re.findall(r'^weir_source_lag_records\{[^}]*source="orders"[^}]*partition="(\d+)"', text, re.M)
            under_way = sum(float(n) for n in re.findall(r"^weir_lookup_inflight\{[^}]*\} (\S+)$", text, re.M))
            if held and under_way >= PENDING_THERE:
                found[copy] = sorted(map(int, held)), int(under_way)
        return found

    def wait_ready(self, copy):
        def ready():
            self.alive()
            return copy.get("readyz")[0] == 200
        until(ready, 60, f"{copy.name} is ready")

    # ---- Progress ----

    def ends(self, *topics):
        return [json.loads(line) for line in self.kafka._tool("ends", *topics).splitlines()]

    def mark(self):
        """Where all topics end now, uncommitted records included."""
        return {(e["topic"], e["partition"]): e["written"] for e in self.ends(*READ, *OUTPUTS)}

    def wait_progress(self, mark, timeout_s=60):
        """Every task has read and committed all that was there at the mark, and outputs behind it are committed. What is
        read counts, since the outputs' ends move with the marker of an aborted transaction too."""
        behind = []

        def moved():
            nonlocal behind
            self.alive()
            try:
                committed = {topic: self.kafka.committed("crash", topic, PARTITIONS) for topic in READ}
            except RuntimeError as error:  # nobody coordinates the group right after a restart
                behind = [str(error)]
                return False
            behind = [f"{topic}/{p}" for topic in READ for p in range(PARTITIONS)
                      if committed[topic][p] <= mark[topic, p]]
            if behind:
                return False
            ends = self.ends(*OUTPUTS)
            behind = [topic for topic in OUTPUTS
                      if all(e["stable"] <= mark[topic, e["partition"]] for e in ends if e["topic"] == topic)]
            return not behind

        began = now()
        try:
            until(moved, timeout_s, "progress")
        except TimeoutError:
            raise Wrong(f"no progress within {timeout_s} s: {', '.join(behind)}") from None
        return now() - began

    # ---- Faults: each returns how long it took from the fault to progress ----

    def fault_kill_one(self, victim):
        self.kill(victim)
        began = now()
        if len(self.copies) < 2:
            self.again(victim)
        self.wait_progress(self.mark())
        return now() - began

    def fault_kill_all(self, victim):
        victims = list(self.copies)
        for copy in victims:
            copy.process.kill()
        for copy in victims:
            self.kill(copy)
        began = now()
        mark = self.mark()
        for copy in victims[:2]:
            self.again(copy)
        self.wait_progress(mark)
        return now() - began

    def fault_stop(self, victim):
        """Stopped until others have all its partitions; going on it must do no harm and find its place."""
        if len(self.copies) < 2:
            raise AssertionError("nobody is there to take over")
        victim.process.send_signal(signal.SIGSTOP)
        began = now()
        self.copies.remove(victim)  # it answers nothing
        try:
            self.wait_progress(self.mark())
            seconds = now() - began
        finally:
            victim.process.send_signal(signal.SIGCONT)
            self.copies.append(victim)
        self.wait_ready(victim)
        self.wait_progress(self.mark())
        return seconds

    def fault_hand_over(self, victim):
        victim.process.send_signal(signal.SIGTERM)
        began = now()
        self.copies.remove(victim)
        code = victim.process.wait(30)
        if code != 0:
            raise Wrong(f"{victim.name} ended with {code} after SIGTERM:\n{victim.log()[-3000:]}")
        self.wait_progress(self.mark())
        return now() - began

    def fault_join(self, victim):
        began = now()
        joined = self.copy()
        self.wait_ready(joined)
        self.wait_progress(self.mark())
        return now() - began

    def fault_broker_stop(self, victim):
        return self.restart_broker(self.broker.stop)

    def fault_broker_kill(self, victim):
        return self.restart_broker(self.broker.kill)

    def restart_broker(self, end):
        began = now()
        end()
        self.broker.start()
        self.wait_progress(self.mark())
        return now() - began

    # ---- Rounds ----

    def faults(self):
        """Each kind as often as the others, in random order."""
        while True:
            kinds = list(self.kinds)
            self.choose.shuffle(kinds)
            yield from kinds

    def prepare(self, kind):
        """The copies a fault needs, and between two and three of them."""
        if kind == "hand over" and len(self.copies) < 3:
            self.wait_ready(self.copy())
            self.wait_progress(self.mark())
        elif kind == "join" and len(self.copies) > 2:
            self.kill(self.choose.choice(self.copies))
            self.wait_progress(self.mark())

    def round(self, kind):
        self.prepare(kind)
        self.peer.tell("clear")
        log, pending, busy = [], set(), {}

        def due():
            nonlocal log, pending, busy
            busy = self.busy()
            if not busy:
                return False
            time.sleep(self.choose.uniform(0, 0.1))  # anywhere between two commits: the moment is the point
            log = self.peer.log()
            pending = {entry["path"] for entry in log if entry["answered_as"] == 0}
            return len(pending) >= PENDING

        until(due, 60, f"{PENDING} requests are pending")
        victim = self.choose.choice(list(busy))
        seconds = getattr(self, "fault_" + kind.replace(" ", "_"))(victim)
        self.alive()
        asked = {entry["path"] for entry in self.peer.log()[len(log):]}
        again = len(pending & asked)
        counts = again > 0
        if not counts and kind not in MAY_MOVE_NOTHING:
            held = ", ".join(f"{copy.name} held {p} with {n} requests" for copy, (p, n) in busy.items())
            raise Wrong(f"{kind} of {victim.name}: of {len(pending)} requests that were pending none was asked for again; {held}")
        self.counted += counts
        self.times[kind].append(seconds)
        name = f"round {self.counted:3}" if counts else "not counted"
        print(f"{now() - self.began:6.1f} s  {name:11}  {kind:11}  pending {len(pending):4}  asked again {again:4}  "
              f"progress after {seconds:5.1f} s  copies {len(self.copies)}", flush=True)

    def run(self):
        self.binary = build(os.path.join(HERE, "crash.weir"), self.directory)
        most = (self.rounds + 5) * MOST_ROUND_S * RATE
        quotes = os.path.join(self.directory, "quotes.ndjson")
        self.orders.write_quotes(quotes, most)
        self.peer = Peer("--data", quotes)
        self.peer.tell(f"set?record=1&seed={self.seed}&delay={DELAY_MS}")
        self.broker.start()
        for topic in ("orders", *OUTPUTS, "lost"):
            self.kafka.create(topic, PARTITIONS)
        self.began = now()
        self.writer = Writer(self.orders, self.broker.bootstrap, most, os.path.join(self.directory, "writer.log"))
        for _ in range(2):
            self.copy()
        for copy in self.copies:
            self.wait_ready(copy)  # from then on there are the topics that it makes for itself
        self.wait_progress(self.mark())
        faults = self.faults()
        tries = 0
        while self.counted < self.rounds:
            tries += 1
            if tries > self.rounds * 2:
                raise Wrong(f"only {self.counted} of {tries} rounds had requests that were asked for again")
            self.round(next(faults))
        self.finish()

    # ---- The end ----

    def read(self, topic):
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        with subprocess.Popen([tool, self.broker.bootstrap, "read", topic], stdout=subprocess.PIPE, text=True) as process:
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

    def finish(self):
        rounds_s = now() - self.began
        count = self.writer.end()
        model = Model(self.orders, count)
        wanted = {"priced.input": len(model.priced), "priced.key": len(model.priced), "priced.none": len(model.priced),
                  "by.account": len(model.by_account), "by.symbol": len(model.by_symbol), "lost": len(model.lost)}
        have = {}

        def done():
            for copy in self.copies:
                if copy.process.poll() is not None:
                    raise Wrong(f"{copy.name} ended by itself:\n{copy.log()[-3000:]}")
            for topic, number in wanted.items():
                if have.get(topic, -1) < number:
                    have[topic] = self.kafka.count(topic)
            return all(have[topic] >= number for topic, number in wanted.items())

        try:
            until(done, 120, "everything is worked off")
        except TimeoutError:
            print("not everything came out: " + ", ".join(f"{t} {have[t]} of {n}" for t, n in wanted.items()), flush=True)
        for copy in self.copies:
            code = copy.stop()
            if code != 0:
                raise Wrong(f"{copy.name} ended with {code}:\n{copy.log()[-3000:]}")

        problems = []

        def compare(topic, expected, actual, order):
            found = differences(expected, actual, order=order)
            problems.extend(f"{topic}: {problem}" for problem in found)
            print(f"{topic}: {len(expected)} expected, {len(actual)} there, {len(found)} differences", flush=True)

        def by_key(record, fields):
            return record["key"]

        compare("priced.key", model.priced, list(self.rows("priced.key", "id", by_key)), "key")
        compare("priced.input", model.priced, list(self.rows("priced.input", "id", by_key)), "key")
        # `order input` is the order of each partition of the orders, and keys keep their partition.
        partition_of = {r["key"]: r["partition"] for r in self.read("orders")}
        compare("priced.input by partition", [(partition_of[key], row) for key, row in model.priced],
                list(self.rows("priced.input", "id", lambda record, fields: record["partition"])), "key")
        compare("priced.none", model.priced, list(self.rows("priced.none", "id", lambda record, f: f["account"])), "none")
        compare("by.account", model.by_account, list(self.rows("by.account", "start", by_key)), "key")
        compare("by.symbol", model.by_symbol, list(self.rows("by.symbol", "start", by_key)), "key")
        letters = []
        for record in self.read("lost"):
            headers = dict(record["headers"])
            letters.append(((headers["weir.step"].split(".")[0], headers["weir.reason"]), record["value"]))
        compare("lost", model.lost, letters, "none")

        open_ends = []

        def closed():
            nonlocal open_ends
            open_ends = [e for e in self.ends() if e["stable"] != e["written"]]
            return not open_ends

        try:
            until(closed, 15, "no transaction is open")
        except TimeoutError:
            problems += [f"a transaction stays open: {e}" for e in open_ends]
        if problems:
            raise Wrong("\n".join(problems))
        print(f"{count} orders, {self.counted} rounds in {rounds_s:.0f} s, all in {now() - self.began:.0f} s; each output "
              "there once and in order, no transaction open")
        for kind in FAULTS:
            if self.times[kind]:
                times = sorted(self.times[kind])
                print(f"  {kind:11} {len(times):3} times, progress after {times[len(times) // 2]:5.1f} s in the middle, "
                      f"{times[-1]:5.1f} s at most")

    def close(self):
        for copy in self.copies:
            copy.kill()
        if self.writer:
            self.writer.kill()
        if self.peer:
            self.peer.close()
        self.broker.close()


def main():
    parser = argparse.ArgumentParser(prog="tools/crash-suite", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="faults that count (default: 200)")
    parser.add_argument("--seed", type=int, default=None, help="of faults, moments and orders (default: a random one)")
    parser.add_argument("--only", action="append", choices=FAULTS, metavar="FAULT",
                        help=f"only this kind of fault, may be given more than once: {', '.join(FAULTS)}")
    arguments = parser.parse_args()
    seed = random.randrange(10**9) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="weir-crash-")
    suite = Suite(arguments.rounds, seed, arguments.only or FAULTS, directory)
    try:
        suite.run()
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, Wrong):
            traceback.print_exc()
        suite.close()
        print(f"WRONG: {error}\nseed {seed}; the logs of the copies and the broker are in {directory}", file=sys.stderr)
        return 1
    suite.close()
    write_passed_cases(kind for kind in FAULTS if suite.times[kind])
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
