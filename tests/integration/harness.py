"""What the tests of whole pipelines stand on: a broker, a lookup service, a compiled pipeline as a process.

Everything is started by the test, on its own ports and directories, and gone with it.
"""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "servers"))
from process import die_with_parent, free_port, wait_until  # noqa: E402, F401

BUILD = os.environ.get("WEIR_BUILD", os.path.join(ROOT, "build"))
WEIR = os.environ.get("WEIR_COMPILER", os.path.join(BUILD, "bin", "weir"))


class Kafka:
    """Topics of a broker."""

    def __init__(self, broker):
        self.broker = broker

    def _tool(self, *arguments, input_text=None):
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        result = subprocess.run([tool, self.broker.bootstrap, *map(str, arguments)], input=input_text,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        if result.returncode != 0:
            raise RuntimeError(f"kafka_tool {arguments[0]}: {result.stderr}")
        return result.stdout

    def create(self, topic, partitions=4, **configs):
        self._tool("create", topic, partitions, *[f"{k.replace('_', '.')}={v}" for k, v in configs.items()])

    def delete(self, topic):
        self._tool("delete", topic)

    def grow(self, topic, partitions):
        self._tool("grow", topic, partitions)

    def write(self, records):  # any iterable
        self._tool("write", input_text="".join(json.dumps(r) + "\n" for r in records))

    def write_slowly(self, records, rate):
        """Writes at most `rate` records per second, in a process of its own; wait() for it."""
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        with tempfile.TemporaryFile("w+") as lines:
            lines.writelines(json.dumps(r) + "\n" for r in records)
            lines.seek(0)
            return subprocess.Popen([tool, self.broker.bootstrap, "write", str(rate)], stdin=lines,
                                    preexec_fn=die_with_parent)

    def read(self, topic):
        return [json.loads(line) for line in self._tool("read", topic).splitlines()]

    def count(self, topic):
        return len(self._tool("read", topic).splitlines())

    def topics(self):
        """All but Kafka's own."""
        return {json.loads(line)["topic"] for line in self._tool("ends").splitlines()}

    def members(self, group):
        """Who is in a group: [{"member", "instance", "partitions"}]."""
        return [json.loads(line) for line in self._tool("members", group).splitlines()]

    def ends(self, *topics):
        return [json.loads(line) for line in self._tool("ends", *topics).splitlines()]

    def committed(self, group, topic, partitions):
        return [int(line) for line in self._tool("committed", group, topic, partitions).split()]


class Peer:
    """The scriptable HTTP service; see tests/servers/lookup_peer.h for what it can be told."""

    def __init__(self, *options):
        program = os.path.join(BUILD, "tests", "servers", "lookup_peer")
        self._process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True,
                                         preexec_fn=die_with_parent)
        match = re.match(r"ready (\S+) control (\S+)", self._process.stdout.readline())
        if not match:
            raise RuntimeError("the lookup peer did not start")
        self.url, self._control = f"http://{match[1]}", f"http://{match[2]}"

    def tell(self, request):
        return urllib.request.urlopen(urllib.request.Request(f"{self._control}/{request}", data=b"")).read()

    def stats(self):
        return json.load(urllib.request.urlopen(f"{self._control}/stats"))

    def log(self):
        return [json.loads(line) for line in urllib.request.urlopen(f"{self._control}/log").read().splitlines()]

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def build(source, directory):
    """Compiles a pipeline; returns the executable."""
    binary = os.path.join(directory, os.path.basename(source).removesuffix(".weir"))
    result = subprocess.run([WEIR, "build", source, "-o", binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=120)
    if result.returncode != 0:
        raise RuntimeError(f"weir build {source}:\n{result.stdout}")
    return binary


def changed(source, path, *changes, more=""):
    """A pipeline with parts of its text replaced, and with more behind it, written to a path, which is returned."""
    with open(source, encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        assert old in text, f"{source} has no {old!r}"
        text = text.replace(old, new)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + more)
    return path


class Pipeline:
    """A compiled pipeline that runs."""

    def __init__(self, binary, directory, *arguments, environment=None):
        self.binary, self.directory, self.arguments = binary, directory, list(arguments)
        self.environment = {**os.environ, **(environment or {})}
        self.http = None
        self.process = None
        self.file_bytes_max = None  # a start sets it: no file may grow beyond, as on a disk that is full
        self.log_through_pipe = False  # what the process says is not among those files
        self._log_writer = None
        self._log_begins = 0  # what earlier lives in this directory said is before it
        self.stdout_path = None  # instead of the log
        self.under = []  # a command that runs it
        self.state_dir = os.path.join(directory, "state")  # None: it is given none, and runs in `directory`
        self.log_path = os.path.join(directory, os.path.basename(binary) + ".log")

    def start(self, wait_ready=True):
        self.http = f"127.0.0.1:{free_port()}"
        state_dir = ["--state-dir", self.state_dir] if self.state_dir else []
        command = [*self.under, self.binary, "run", *state_dir, "--http", self.http, "--log", "json", *self.arguments]
        self._log_begins = len(self.log()) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            if self.log_through_pipe:
                self._log_writer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log, preexec_fn=die_with_parent)
                log = self._log_writer.stdin
            with open(self.stdout_path, "ab") if self.stdout_path else contextlib.nullcontext(log) as stdout:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log,
                                                cwd=None if self.state_dir else self.directory, env=self.environment,
                                                preexec_fn=self._prepare)
        if self.log_through_pipe:
            self._log_writer.stdin.close()  # it ends with the process
        if wait_ready:
            wait_until(lambda: self.get("readyz")[0] == 200, 60, f"{self.binary} is ready")
        return self

    def _prepare(self):
        die_with_parent()
        if self.file_bytes_max is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes_max, resource.RLIM_INFINITY))

    def get(self, path):
        """(status, body); status 0 when nothing answers."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the pipeline ended with {self.process.returncode}:\n{self.log()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://{self.http}/{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def log(self):
        if self._log_writer and self.process.poll() is not None:
            self._log_writer.wait(10)
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def log_of_this_life(self):
        return self.log()[self._log_begins:]

    def stop(self, timeout_s=30):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def memory_mb(self, most=False):
        """Resident memory now, or the most it ever was."""
        name = "VmHWM" if most else "VmRSS"
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(name + r":\s+(\d+)", status.read())[1]) / 1024


def until(condition, timeout_s, what):
    return wait_until(condition, timeout_s, what, pause_s=0.2)


def now():
    return time.monotonic()
