"""Restarts and take-overs with a gigabyte of state: how long until the first output. Run by tools/bench as RST and TAKE."""

import json
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from harness import BUILD, Kafka, Pipeline, build, now, until  # noqa: E402
from process import die_with_parent  # noqa: E402

PARTITIONS = 4
ACCOUNTS = 2_000_000
# Keys of this length make an account 560 bytes of state, and all of them a gigabyte.
KEY_BYTES = 460
SESSION_MS = 6000
START_MS = 1_767_344_400_000
RESTART_BAR_S = 1.0
TAKE_OVER_BAR_S = SESSION_MS / 1000 + 2


def position(i):
    key = f"{i:08}".ljust(KEY_BYTES, "x")
    value = {"account": key, "qty": i % 1000 + 1, "price": f"{i % 5000 + 1}.25", "ts": START_MS + i // 1000}
    return {"topic": "positions", "key": key, "value": json.dumps(value)}


class StateBench:
    def __init__(self, broker, work):
        self.kafka = Kafka(broker)
        self.work = work
        self.binary = build(os.path.join(HERE, "positions.weir"), work)
        self.written = 0
        for topic in ("positions", "positions.seen", "positions.day"):
            self.kafka.create(topic, PARTITIONS)

    def copy(self, name, *arguments):
        directory = os.path.join(self.work, name)
        os.makedirs(directory, exist_ok=True)
        return Pipeline(self.binary, directory, "--set", f"brokers={self.kafka.broker.bootstrap}", "--workers", "2",
                        f"--kafka.session.timeout.ms={SESSION_MS}", "--kafka.heartbeat.interval.ms=1000", *arguments)

    def fill(self):
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        with subprocess.Popen([tool, self.kafka.broker.bootstrap, "write"], stdin=subprocess.PIPE, text=True,
                              preexec_fn=die_with_parent) as process:
            for i in range(ACCOUNTS):
                process.stdin.write(json.dumps(position(i)) + "\n")
            process.stdin.close()
        if process.returncode != 0:
            raise RuntimeError("the positions could not be written")
        self.written = ACCOUNTS

    def watch(self):
        """Follows where the outputs end, in a process that stays: each start of a Kafka client may take a second by itself."""
        tool = os.path.join(BUILD, "tests", "servers", "kafka_tool")
        return subprocess.Popen([tool, self.kafka.broker.bootstrap, "watch", "positions.seen"], stdout=subprocess.PIPE, text=True,
                                preexec_fn=die_with_parent)

    @staticmethod
    def next_ends(watch):
        ends = {}
        for line in iter(watch.stdout.readline, "\n"):
            if not line:
                raise RuntimeError("kafka_tool watch ended")
            end = json.loads(line)
            ends[end["partition"]] = end["stable"]
        return ends

    def ends(self, topic):
        return {e["partition"]: e["stable"] for e in map(json.loads, self.kafka._tool("ends", topic).splitlines())}

    def write_one_each(self):
        """One position to each partition or more; returns where the outputs of each partition end before it."""
        before = self.ends("positions.seen")
        self.kafka.write(position(i % ACCOUNTS) for i in range(self.written, self.written + 10 * PARTITIONS))
        self.written += 10 * PARTITIONS
        return before

    def seconds_to_output(self, began, watch, before, process):
        """Until every partition has given an output."""
        while True:
            ends = self.next_ends(watch)
            if all(ends[p] > before[p] for p in before):
                watch.kill()
                return now() - began
            if process.process.poll() is not None:
                raise RuntimeError(f"it ended with {process.process.returncode}:\n{process.log()[-2000:]}")
            if now() - began > 300:
                raise RuntimeError("no output after 300 s")

    def worked_off(self, copy):
        def done():
            if copy.get("readyz")[0] != 200:
                return False
            committed = self.kafka.committed("positions", "positions", PARTITIONS)
            ends = self.ends("positions")
            return all(committed[p] >= ends[p] for p in ends)
        until(done, 600, "all positions are in the state")

    def restart(self, directory, keep):
        """Seconds from starting the process to the first output of every partition, with its local store or without."""
        copy = self.copy(directory)
        if not keep:
            shutil.rmtree(os.path.join(copy.directory, "state", "tasks"))
        before = self.write_one_each()
        watch = self.watch()
        self.next_ends(watch)
        began = now()
        copy.start(wait_ready=False)
        seconds = self.seconds_to_output(began, watch, before, copy)
        memory = copy.memory_mb()
        self.worked_off(copy)
        if copy.stop(120) != 0:
            raise RuntimeError(f"it did not stop:\n{copy.log()[-2000:]}")
        return seconds, memory


def metric(copy, name):
    _, text = copy.get("metrics")
    values = [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{")]
    return sum(values) if values else None


def measure_state(bench, arguments, problems, wanted):
    state = StateBench(bench.broker, bench.work)
    print(f"\nRST, TAKE: {ACCOUNTS:,} open windows in {PARTITIONS} partitions, 2 workers", flush=True)
    state.fill()
    first = state.copy("first").start()
    state.worked_off(first)

    def result(name, seconds, bar, more=""):
        met = seconds < bar
        print(f"  {'met    ' if met else 'MISSED '} {name}: {seconds:.2f} s to the first output of every partition, bar {bar:g} s{more}",
              flush=True)
        if not met and arguments.enforce:
            problems.append(f"{name}: {seconds:.2f} s")

    if first.stop(300) != 0:
        raise RuntimeError(first.log()[-2000:])
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(os.path.join(first.directory, "state"))
               for f in files) / 2**30
    print(f"  local stores: {size:.2f} GiB")
    if "RST" in wanted:
        with_store = [state.restart("first", True) for _ in range(3)]
        seconds, memory = sorted(with_store)[1]
        result("restart", seconds, RESTART_BAR_S, f" (of three: {', '.join(f'{s:.2f}' for s, _ in with_store)}); {memory:.0f} MB resident")
        without, memory = state.restart("first", False)
        print(f"  beside it: {without:.2f} s when the local store is gone ({without / seconds:.1f} times as long), {memory:.0f} MB resident")
    if "TAKE" in wanted:
        holder = state.copy("first").start()
        standby = state.copy("second", "--standby").start()
        until(lambda: metric(standby, "weir_standby_behind_records") == 0 and metric(standby, "weir_local_stores") == PARTITIONS,
              600, "the standby has followed")
        state.worked_off(holder)
        watch = state.watch()
        state.next_ends(watch)
        holder.process.send_signal(signal.SIGKILL)
        began = now()
        holder.process.wait()
        before = state.write_one_each()
        seconds = state.seconds_to_output(began, watch, before, standby)
        result("take-over of a killed copy", seconds, TAKE_OVER_BAR_S, f" (session {SESSION_MS / 1000:g} s)")
        standby.stop(120)
