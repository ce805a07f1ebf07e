#!/usr/bin/env python3
"""From files to files, with requests to a real HTTP service: the process is killed at every system call that touches the disk,
and each of these calls fails once as a broken or a full disk makes it fail. Whatever happened, the next start ends with what
an undisturbed run gives, each line there once. The same holds after runs with too few file descriptors or threads, or too
little memory."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

import passed_cases
from harness import BUILD, HERE, Peer, build

ORDERS = 60
OUTPUTS = ("priced", "volumes", "dead")
MOST_CALLS = 400  # far more than there are
WRITES = ("write", "writev", "pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate")
STATE_MISMATCH, CONNECTOR, STOPPED, WRITE_FAILED, SYSTEM = 3, 4, 5, 6, 71


class DiskFault(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="weir-disk-fault-")
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        with open(os.path.join(cls.root, "input.ndjson"), "w") as file:
            for i in range(ORDERS):
                file.write(json.dumps({"id": i, "symbol": f"S{i % 3}", "qty": i + 1, "ts": 1_767_344_400_000 + i * 100}) + "\n")
        with open(os.path.join(cls.root, "quotes.ndjson"), "w") as file:
            file.writelines(json.dumps({"id": i, "price": f"{i}.25"}) + "\n" for i in range(ORDERS) if i % 20 != 7)
        cls.peer = Peer("--data", os.path.join(cls.root, "quotes.ndjson"))
        cls.addClassCleanup(cls.peer.close)
        cls.peer.tell("set?delay=0..20")
        cls.binary = build(os.path.join(HERE, "local_crash.weir"), cls.root)
        cls.directory = os.path.join(cls.root, "run")
        cls.clear()
        assert cls.run_once() == 0, cls.said
        cls.expected = cls.written()
        assert [len(lines) for lines in cls.expected] == [57, 18, 3], cls.expected

    @classmethod
    def clear(cls):
        shutil.rmtree(cls.directory, ignore_errors=True)
        os.mkdir(cls.directory)

    @classmethod
    def run_once(cls, at=0, what=None, limit=None):
        """The exit code, of a process with a (resource, number) limited; `cls.said` is what it said, `cls.hit` the call that was hit or None."""
        command = [cls.binary, "run", "--state-dir", os.path.join(cls.directory, "state"), "--http", "off", "--log", "json",
                   "--commit-interval", "5ms", "--set", f"url={cls.peer.url}",
                   "--set", f"input={os.path.join(cls.root, 'input.ndjson')}"]
        for name in OUTPUTS:
            command += ["--set", f"{name}={os.path.join(cls.directory, name + '.ndjson')}"]
        if what:
            command = [os.path.join(BUILD, "tests", "servers", "disk_fault"), cls.directory, str(at), what, *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              preexec_fn=limit and (lambda: resource.setrlimit(limit[0], (limit[1], limit[1]))))
        cls.said, cls.hit = done.stderr, None
        if what:
            match = re.search(r"disk_fault: \d+ calls, (\w+)\n$", done.stderr)
            assert match, done.stderr
            cls.hit = None if match[1] == "none" else match[1]
        return done.returncode

    @classmethod
    def written(cls):
        outputs = []
        for name in OUTPUTS:
            with open(os.path.join(cls.directory, name + ".ndjson")) as file:
                outputs.append(file.read().splitlines())
        outputs[2].sort()  # dead letters of several steps have no order among each other
        return outputs

    def goes_on(self, where):
        """The disk is well again."""
        code = self.run_once()
        self.assertEqual(code, 0, f"{where}, and then: {self.said[-2000:]}")
        self.assertEqual(self.written(), self.expected, where)

    def sweep(self, what, check):
        """Calls check(code) after a run with a fault at its first call, its second, and so on until a run has no more."""
        hits = {}
        for at in range(1, MOST_CALLS):
            self.clear()
            code = self.run_once(at, what)
            if self.hit is None:
                break
            hits[self.hit] = hits.get(self.hit, 0) + 1
            check(at, code)
        print(f"{what}: {at - 1} calls, " + ", ".join(f"{name} {n}" for name, n in sorted(hits.items())), file=sys.stderr)
        self.assertLess(at, MOST_CALLS - 1)
        return hits

    def test_killed_at_every_call_that_touches_the_disk(self):
        def check(at, code):
            self.assertEqual(code, 137)
            where = f"killed at call {at}, {self.hit}"
            # And again while it comes back: early calls are those of a start.
            if at % 3 == 0:
                self.run_once(1 + at % 40, "kill")
                where += f", then at call {1 + at % 40}"
            self.goes_on(where)

        hits = self.sweep("kill", check)
        self.assertGreater(sum(hits.values()), 40)
        self.assertGreater(hits["fdatasync"], 2)
        self.assertGreater(hits["writev"], 2)

    def fails(self, what):
        def check(at, code):
            where = f"{what} at call {at}, {self.hit}: code {code}"
            # What is only read may have a second way. A sink that cannot start is a connector that failed.
            allowed = (WRITE_FAILED, CONNECTOR) if self.hit in WRITES else (0, STATE_MISMATCH, CONNECTOR, WRITE_FAILED)
            self.assertIn(code, allowed, f"{where}\n{self.said[-2000:]}")
            if code != 0:
                self.assertIn('"level":"error"', self.said, where)
            self.goes_on(where)

        hits = self.sweep(what, check)
        self.assertGreater(hits["fdatasync"], 2)
        self.assertGreater(hits["pwrite64"], 2)

    def test_every_call_fails_as_on_a_broken_disk(self):
        self.fails("EIO")

    def test_every_write_fails_as_on_a_full_disk(self):
        self.fails("ENOSPC")

    def test_too_few_file_descriptors(self):
        failed = 0
        for most in range(3, 40):
            self.clear()
            code = self.run_once(limit=(resource.RLIMIT_NOFILE, most))
            where = f"{most} file descriptors: code {code}"
            self.assertIn(code, (0, STATE_MISMATCH, CONNECTOR, STOPPED, WRITE_FAILED, SYSTEM), f"{where}\n{self.said[-2000:]}")
            if code != 0:
                failed += 1
                self.assertIn("Too many open files", self.said, where)
            self.goes_on(where)
        self.assertGreater(failed, 5)

    def test_too_few_threads(self):
        failed = 0
        for most in range(1, MOST_CALLS):
            self.clear()
            code = self.run_once(most, "threads")
            where = f"{most - 1} threads: code {code}"
            if self.hit is None:
                break
            failed += 1
            self.assertEqual(code, SYSTEM, f"{where}\n{self.said[-2000:]}")
            self.assertIn("Resource temporarily unavailable", self.said, where)
            self.assertIn("ulimit -u", self.said, where)
            self.goes_on(where)
        print(f"{failed} threads", file=sys.stderr)
        self.assertEqual(code, 0)
        self.assertGreater(failed, 2)

    def test_too_little_memory(self):
        """From what the program itself takes up to what it needs: at first there is none for the store's map, then for threads,
        then for what it works on. There every allocation may be the one that fails."""
        def run_with(megabytes):
            self.clear()
            code = self.run_once(limit=(resource.RLIMIT_AS, int(megabytes * (1 << 20))))
            where = f"{megabytes} MB: code {code}"
            endings[code] = endings.get(code, 0) + 1
            self.assertIn(code, (0, CONNECTOR, WRITE_FAILED, SYSTEM), f"{where}\n{self.said[-2000:]}")
            if code != 0:
                self.assertRegex(self.said, "there is no memory left|Cannot allocate memory|Resource temporarily unavailable", where)
            self.goes_on(where)
            return code

        endings = {}
        program = os.path.getsize(self.binary) >> 20
        for megabytes in range(program + 4, 256, 16):
            run_with(megabytes)
        started = [megabytes for megabytes in range(256, 330, 2) if run_with(megabytes) == SYSTEM]
        for eighth in range(8 * (started[0] - 1), 8 * (started[-1] + 3)):
            run_with(eighth / 8)
        print(f"exit codes {endings}", file=sys.stderr)
        self.assertTrue({0, WRITE_FAILED, SYSTEM} <= set(endings), endings)


if __name__ == "__main__":
    passed_cases.main()
