"""The orders of the crash rounds, who writes them, and what must become of them: worked out from the input alone."""

import hashlib
import json
import os
import random
import subprocess
import threading
from datetime import datetime, timezone
from decimal import Decimal

from harness import BUILD, now
from process import die_with_parent

RATE = 200           # orders per second
LATE_FROM = 2000     # behind what is read ahead at the start, an hour back is late for certain
START_MS = 1_767_344_400_000
HOUR_MS = 3_600_000
CLOSING_MS = 60_000  # behind the last order that there may be
ACCOUNTS = 60
SYMBOLS = 8
MODES = ("input", "key", "none")


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

    def closing(self, most):
        """One more of each account, so in each partition that has any, behind the last of `most`: they close all windows, and
        are in none themselves, since there are no quotes for them."""
        ts = START_MS + most * 1000 // RATE + CLOSING_MS
        for i in range(ACCOUNTS):
            order = {"id": most + i, "account": f"A{i:02}", "symbol": "S0", "qty": 1, "ts": ts}
            yield {"topic": "orders", "key": order["account"], "value": json.dumps(order)}

    def write_quotes(self, path, count):
        with open(path, "w") as out:
            for i in range(count):
                price = self.make(i)[2]
                if price is not None:
                    out.write(f'{{"id": {i}, "price": "{price}"}}\n')


class Model:
    """What must be in each topic after the first `count` orders and those that close."""

    def __init__(self, orders, count, closing):
        self.priced = []      # (account, (id, hash)) in order of input
        self.lost = []        # ((step, reason), value)
        accounts, symbols = {}, {}
        self._missing(record["value"] for record in closing)
        for i in range(count):
            order, line, price, late, bad = orders.make(i)
            if bad:
                self.lost.append((("orders", "bad_input"), line))
                continue
            if price is None:
                self._missing([line])
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

    def _missing(self, lines):
        self.lost += [((f"in_{mode}", "lookup_missing"), line) for line in lines for mode in MODES]

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
                self._write(self.orders.record(i) for i in range(self.written, self.written + step))
                self.written += step
                due = max(due + step / RATE, now() - 1)
                self._ending.wait(max(0, due - now()))
        except BrokenPipeError:  # it says why itself
            pass

    def _write(self, records):
        self._process.stdin.write("".join(json.dumps(record) + "\n" for record in records))
        self._process.stdin.flush()

    def check(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"orders are no longer written: kafka_tool ended with {self._process.returncode}")

    def end(self, closing):
        """Writes those that close; returns how many there were before."""
        self._ending.set()
        self._thread.join(60)
        try:
            self._write(closing)
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        if self._process.wait(60) != 0:
            raise RuntimeError("not all orders could be written")
        return self.written

    def kill(self):
        self._ending.set()
        self._process.kill()
        self._process.wait()
