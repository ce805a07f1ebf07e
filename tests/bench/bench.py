#!/usr/bin/env python3
"""Runs the benchmark's workloads beside their references on a real broker of its own. Start it as tools/bench.

  tools/bench [W1 W1X W2 W3 W3S W4 LAT RST TAKE] [--pairs N] [--records N] [--shuffled] [--build DIR] [--enforce]

W1  keep qty >= 100, write 5 fields and notional        beside: raw copy (C), by hand (C++)
W1X the same exactly once                                beside: at least once
W2  join with 500 instruments, write 9 fields            beside: by hand
W3  GET /accounts/{id} for each, 1000 in flight, ordered beside: by hand, wrk  (a tenth of the records)
W3S the same with answers after 0 to 100 ms              beside: by hand       (a fiftieth of the records)
W4  per symbol windows of 1 s: count, sum, vwap, max     beside: by hand
LAT 5,000 records/s through W1 exactly once: the time from producer to a reader of committed records
RST a restart with a gigabyte of state: the time to the first output, with the local store and without
TAKE a copy with half of that is killed, another one stands by: the time to the first output

Programs take turns (A B A B …), so that what the machine does meanwhile meets all of them. CPU is the process's own,
all threads, from the kernel's accounting. The output of each program is compared with what the generator says it must
be before a time is believed. Ends with 1 when an output is wrong or the references do not behave as they are known to
(W1: by hand / raw copy between 1.0 and 1.3); whether Weir meets its bars is printed, not enforced, unless --enforce.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "servers"))
from kafka_broker import BrokerError, KafkaBroker  # noqa: E402
from process import die_with_parent  # noqa: E402
sys.path.insert(0, HERE)
from bench_state import measure_state  # noqa: E402

PARTITIONS = 4
IN_FLIGHT = 1000
# W3's bar of 10 CPU seconds was set where wrk, which does nothing but ask, needs 5.5 for the same requests. What sockets
# cost differs from machine to machine more than anything else here, so wrk is measured in the same run.
W3_CPU_MAX, W3_WRK = 10.0, 5.5
WRK_SECONDS = 4
RUN_TIMEOUT_S = 600


class BenchError(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, arguments, broker, work):
        self.arguments = arguments
        self.broker = broker
        self.work = work
        self.programs = os.path.join(arguments.build, "tests", "bench")
        self.weir = os.path.join(arguments.build, "bin", "weir")
        self.peers = {}  # by delay
        self.filled = {}
        self.runs = 0

    # ---- Data ----

    def tool(self, name, *arguments):
        command = [os.path.join(self.programs, name), "--brokers", self.broker.bootstrap, *map(str, arguments)]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                timeout=RUN_TIMEOUT_S)
        if result.returncode != 0:
            raise BenchError(f"{name}: {result.stderr.strip() or result.stdout.strip()}")
        return result.stdout.strip()

    def fill(self, topic, kind, records=0):
        if topic in self.filled:
            return
        say(f"filling {topic} ({records or 500:,} records)")
        self.tool("bench_fill", "--topic", topic, "--kind", kind, "--records", records, "--partitions", PARTITIONS)
        self.filled[topic] = records

    def start_peer(self, delay_ms):
        """The service that answers within `delay_ms` (least, most); returns its port."""
        if delay_ms not in self.peers:
            program = os.path.join(self.arguments.build, "tests", "servers", "lookup_peer")
            peer = subprocess.Popen([program, "--delay", "{}..{}".format(*delay_ms)], stdout=subprocess.PIPE, text=True,
                                    preexec_fn=die_with_parent)
            self.peers[delay_ms] = peer, int(peer.stdout.readline().split()[1].rsplit(":", 1)[1])
        return self.peers[delay_ms][1]

    def stop_peers(self):
        for peer, _ in self.peers.values():
            peer.kill()
            peer.wait()

    def wrk(self, delay_ms):
        """CPU seconds per million requests of wrk, which asks and does nothing else."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run(
            ["wrk", "-t1", f"-c{IN_FLIGHT}", f"-d{WRK_SECONDS}s",
             f"http://127.0.0.1:{self.start_peer(delay_ms)}/accounts/ACC-00000001"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        match = re.search(r"(\d+) requests in", result.stdout)
        if result.returncode != 0 or not match:
            raise BenchError(f"wrk: {result.stdout}")
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / int(match[1]) * 1e6

    # ---- One run of one program ----

    def run(self, workload, program):
        """Runs `program` over the workload's input; returns its figures."""
        self.runs += 1
        out = workload.out_topic
        group = program.group
        self.tool("bench_fill", "--topic", out, "--partitions", PARTITIONS, "--group", group)
        watch = subprocess.Popen(
            [os.path.join(self.programs, "bench_watch"), "--brokers", self.broker.bootstrap, "--in", workload.in_topic,
             "--out", out, "--group", group],
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        log_path = os.path.join(self.work, f"{program.name.replace(' ', '-')}.log")
        state = os.path.join(self.work, f"state-{self.runs}")
        if program.weir and program.run_command == [program.binary, "run"]:
            self.forget_state(program.command(self, workload, state))
        child = None
        try:
            if watch.stdout.readline().strip() != "watching":
                raise BenchError("bench_watch did not start")
            with open(log_path, "wb") as log:
                start_ns = time.monotonic_ns()
                child = subprocess.Popen(program.command(self, workload, state), stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                         env={**os.environ, "XDG_CACHE_HOME": f"{state}-cache"})  # nothing is compiled
            first = self.line(watch, child, program, log_path)
            done = self.line(watch, child, program, log_path)
            if program.runs_for_ever:
                child.send_signal(signal.SIGTERM)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                raise BenchError(f"{program.name} ended with {child.returncode}:\n{tail(log_path)}")
        finally:
            for process in (watch, child):
                if process and process.returncode is None:
                    process.kill()
                    process.wait()
            shutil.rmtree(state, ignore_errors=True)
            shutil.rmtree(f"{state}-cache", ignore_errors=True)
        first_ns, done_ns = int(first.split()[1]), int(done.split()[1])
        records = workload.records
        return {
            "cpu": (usage.ru_utime + usage.ru_stime) / records * 1e6,
            "rate": records / ((done_ns - first_ns) / 1e9),
            "memory": usage.ru_maxrss / 1024,
            "start": (first_ns - start_ns) / 1e9,
            "outputs": int(done.split()[2]),
        }

    @staticmethod
    def forget_state(command):
        """What an earlier run left in Kafka; the group was forgotten with the output."""
        binary, _, *settings = command
        http = settings.index("--http")
        result = subprocess.run([binary, "reset", "--yes", *settings[:http], *settings[http + 2:]], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise BenchError(f"{binary} reset:\n{result.stdout}")

    def line(self, watch, child, program, log_path):
        """The watcher's next line; notices when the program ends with an error meanwhile."""
        import select
        end = time.monotonic() + RUN_TIMEOUT_S
        while time.monotonic() < end:
            ready, _, _ = select.select([watch.stdout], [], [], 0.2)
            if ready:
                text = watch.stdout.readline()
                if text:
                    return text
                raise BenchError("bench_watch ended")
            # Looks without reaping: the usage figures are taken when the process is reaped.
            ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended and ended.si_status != 0:
                raise BenchError(f"{program.name} ended with {ended.si_status}:\n{tail(log_path)}")
        raise BenchError(f"{program.name} was not done after {RUN_TIMEOUT_S} s:\n{tail(log_path)}")

    def check(self, workload, program):
        return int(self.tool("bench_check", "--workload", "raw" if program.raw else workload.source,
                             "--out", workload.out_topic, "--records", workload.records))


def tail(path):
    with open(path, "rb") as log:
        return log.read()[-2000:].decode("utf-8", "replace")


class Program:
    """One of the programs that are compared."""

    def __init__(self, name, binary=None, raw=False, weir=False):
        self.name, self.binary, self.raw, self.weir = name, binary, raw, weir
        self.runs_for_ever = weir
        self.group = name.replace(" ", "-")
        self.run_command = [binary, "run"]

    def command(self, bench, workload, state):
        if self.weir:
            command = [*self.run_command, "--set", f"brokers={bench.broker.bootstrap}", "--state-dir", state, "--http", "off"]
            if workload.needs_peer:
                command += ["--set", f"accounts=http://127.0.0.1:{bench.start_peer(workload.delay_ms)}"]
            return command
        command = [os.path.join(bench.programs, self.binary), "--brokers", bench.broker.bootstrap,
                   "--in", workload.in_topic, "--out", workload.out_topic, "--group", self.group]
        if workload.needs_instruments and not self.raw:
            command += ["--instruments", "instruments"]
        if workload.needs_peer:
            command += ["--port", str(bench.start_peer(workload.delay_ms)), "--in-flight", str(IN_FLIGHT)]
        return command


class Workload:
    def __init__(self, name, records, in_topic, references, cpu_ratio_max=None, delay_ms=None, source=None,
                 exactly_once=False):
        self.exactly_once = exactly_once  # compared with the same pipeline at least once
        self.name, self.records, self.in_topic, self.references = name, records, in_topic, references
        self.source = source or name.lower()  # the pipeline, and the topic it writes
        self.out_topic = f"{self.source}.out"
        self.cpu_ratio_max = cpu_ratio_max
        self.delay_ms = delay_ms  # of the service's answers
        self.needs_peer = delay_ms is not None
        self.needs_instruments = name == "W2"


def workloads(arguments):
    topic = "trades_shuffled" if arguments.shuffled else "trades"
    by_hand = {n: Program(f"{n} by hand", f"{n.lower()}_by_hand") for n in ("W1", "W2", "W3", "W4")}
    raw = Program("raw copy", "raw_copy", raw=True)
    n = arguments.records
    return {
        "W1": Workload("W1", n, topic, [raw, by_hand["W1"]], cpu_ratio_max=1.15),
        "W1X": Workload("W1X", n, topic, [], cpu_ratio_max=1.3, source="w1", exactly_once=True),
        "W2": Workload("W2", n, topic, [by_hand["W2"]], cpu_ratio_max=1.25),
        "W3": Workload("W3", max(n // 10, 1), f"{topic}_w3", [by_hand["W3"]], delay_ms=(0, 10)),
        "W3S": Workload("W3S", max(n // 50, 1), f"{topic}_w3s", [by_hand["W3"]], delay_ms=(0, 100), source="w3"),
        "W4": Workload("W4", n, topic, [by_hand["W4"]], cpu_ratio_max=1.15),
    }


def compile_weir(bench, workload, exactly_once=False):
    """The workload's pipeline as an executable, or None when there is no compiler yet."""
    if not os.access(bench.weir, os.X_OK):
        return None
    name = workload.source
    source = os.path.join(HERE, f"{name}.weir")
    topic = {"w3": "trades_w3"}.get(name, "trades")
    if workload.in_topic != topic:  # a topic's name is a constant of the language
        with open(source) as text:
            changed = text.read().replace(f'"{topic}"', f'"{workload.in_topic}"')
        source = os.path.join(bench.work, f"{name}.weir")
        with open(source, "w") as text:
            text.write(changed)
    if exactly_once:
        with open(source) as text:
            changed = text.read().replace("deliver: at_least_once", "deliver: exactly_once")
        source = os.path.join(bench.work, f"{name}_exactly_once.weir")
        with open(source, "w") as text:
            text.write(changed)
    binary = os.path.join(bench.work, name + ("_exactly_once" if exactly_once else ""))
    result = subprocess.run([bench.weir, "build", source, "-o", binary], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise BenchError(f"weir build {name}.weir:\n{result.stdout}")
    how = " at least once" if workload.exactly_once and not exactly_once else ""
    program = Program(f"{workload.name} Weir{how}", binary, weir=True)
    program.group = name
    return program


WEIR_RUN_MAX_S = 1.5
WEIR_RUN_STARTS = 9


def time_weir_run(bench, workload, arguments, problems):
    """`weir run` on the source: from the start of the command to the first output, compiling included."""
    with open(os.path.join(HERE, f"{workload.source}.weir")) as text:
        source = text.read()
    starts = []
    for i in range(WEIR_RUN_STARTS):
        # A name of its own each time: a group whose last member has just gone is empty only when its session has ended.
        program = Program("weir run", bench.weir, weir=True)
        program.group = f"{workload.source}_start{i}"
        path = os.path.join(bench.work, f"{program.group}.weir")
        with open(path, "w") as out:
            out.write(source.replace(f"pipeline {workload.source} ", f"pipeline {program.group} "))
        program.run_command = [bench.weir, "run", path, "--"]
        starts.append(bench.run(workload, program)["start"])
    met = statistics.median(starts) <= WEIR_RUN_MAX_S
    print(f"  {'met    ' if met else 'MISSED '} weir run to the first output {spread(starts)} s, compiling and joining the "
          f"group included; bar {WEIR_RUN_MAX_S}")
    if not met and arguments.enforce:
        problems.append(f"weir run to the first output: {spread(starts)} s")


# An allocation per batch or commit is fine, one per record is not.
ALLOCATIONS_PER_RECORD_MAX = 0.05


def count_allocations(bench, workload, weir, arguments, problems):
    """Runs the pipeline once more with a counting allocator and prints what it allocates per record."""
    name = workload.name.lower()
    library = os.path.join(arguments.build, "lib", "weir")
    counted = os.path.join(bench.work, f"{name}_counted")
    generated = subprocess.run([bench.weir, "build", os.path.join(HERE, f"{name}.weir"), "--print", "cpp"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout
    with open(f"{counted}.cc", "w") as out:
        out.write(generated)
    shutil.copy(os.path.join(library, "libweir_runtime.a"), f"{counted}.a")
    compiler = ["clang++-19", "-std=gnu++20", "-O2", "-march=x86-64-v2", "-fno-pie", "-w", "-DFMT_HEADER_ONLY=1", "-I", ROOT,
                "-I", os.path.join(arguments.build, "stdlib", "generated")]
    renamed = [f"--redefine-sym={f}=weir_counted_{f}"
               for f in ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "_Exit")]
    archives = [os.path.join(library, a) for a in sorted(os.listdir(library))
                if a.endswith(".a") and a not in ("libweir_runtime.a", "libc.a", "libm.a", "libgcc.a", "libgcc_eh.a")]
    for command in (
            compiler + ["-c", f"{counted}.cc", "-o", f"{counted}.o"],
            compiler + ["-c", os.path.join(HERE, "counting_allocator.cc"), "-o", f"{counted}_allocator.o"],
            ["llvm-objcopy-19", *renamed, f"{counted}.o"],
            ["llvm-objcopy-19", *renamed, f"{counted}.a"],
            ["clang++-19", "-static", "-no-pie", "-fuse-ld=lld", f"{counted}.o", f"{counted}_allocator.o",
             "-Wl,--start-group", f"{counted}.a", *archives, "-Wl,--end-group", "-o", counted]):
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise BenchError(f"{' '.join(command)}:\n{result.stdout}")
    program = Program(f"{workload.name} counted", counted, weir=True)
    program.group = weir.group
    bench.run(workload, program)
    with open(os.path.join(bench.work, f"{program.name.replace(' ', '-')}.log")) as log:
        found = [line for line in log if line.startswith("allocations ")]
    if not found:
        raise BenchError(f"{program.name} did not say what it allocates")
    per_record = int(found[-1].split()[1]) / workload.records
    met = per_record <= ALLOCATIONS_PER_RECORD_MAX
    print(f"  {'met    ' if met else 'MISSED '} {per_record:.4f} allocations per record, start included, without "
          f"librdkafka's; bar {ALLOCATIONS_PER_RECORD_MAX}")
    if not met and arguments.enforce:
        problems.append(f"{workload.name}: {per_record:.2f} allocations per record")


# Commit interval, then the most that half of all records and 99 of 100 may take, in ms.
OTHERS = ("LAT", "RST", "TAKE")
LATENCY_BARS = (("20ms", 30, 60), ("100ms", None, 130))


def measure_latency(bench, arguments, problems):
    """5,000 records/s through W1, exactly once, to a reader of committed records."""
    workload = Workload("LAT", 0, "trades_latency", [], source="w1", exactly_once=True)
    weir = compile_weir(bench, workload, exactly_once=True)
    print("\nLAT: 5,000 records/s through W1 exactly once, from producer to a reader of committed records")
    # The first pass warms the broker, which is slow with many small requests before its code is compiled.
    for counts, (commit, half, most) in [(False, LATENCY_BARS[0]), *((True, bar) for bar in LATENCY_BARS)]:
        bench.tool("bench_fill", "--topic", workload.in_topic, "--partitions", PARTITIONS)
        bench.tool("bench_fill", "--topic", workload.out_topic, "--partitions", PARTITIONS, "--group", weir.group)
        bench.runs += 1
        state = os.path.join(bench.work, f"state-{bench.runs}")
        with open(os.path.join(bench.work, "latency.log"), "wb") as log:
            child = subprocess.Popen([*weir.command(bench, workload, state), "--commit-interval", commit], stdout=log,
                                     stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        try:
            text = bench.tool("bench_latency", "--in", workload.in_topic, "--out", workload.out_topic)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()
        if not counts:
            continue
        figures = re.match(r"p50 (\S+) p99 (\S+)", text)
        p50, p99 = float(figures[1]), float(figures[2])
        met = (half is None or p50 < half) and p99 < most
        bar = f"p99 < {most}" if half is None else f"p50 < {half}, p99 < {most}"
        print(f"  {'met    ' if met else 'MISSED '} commit every {commit}: {text.strip()} ms, bar {bar}")
        if not met and arguments.enforce:
            problems.append(f"latency at {commit}: {text.strip()}")


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def measure(bench, workload, arguments, problems):
    kind = "shuffled" if arguments.shuffled else "trades"
    bench.fill(workload.in_topic, kind, workload.records)
    if workload.needs_instruments:
        bench.fill("instruments", "instruments")
    programs = list(workload.references)
    weir = compile_weir(bench, workload, workload.exactly_once)
    if workload.exactly_once and weir:
        workload.references = [compile_weir(bench, workload)]
        programs = list(workload.references)
    if weir:
        programs.append(weir)
    else:
        say(f"{workload.name}: no compiler at {bench.weir}: references only")
    figures = {p.name: [] for p in programs}
    for pair in range(arguments.pairs):
        for program in programs:
            result = bench.run(workload, program)
            if program.weir and workload.name == "W3":
                result["wrk"] = bench.wrk(workload.delay_ms)
            # How many windows are closed when the input is read is nobody's promise.
            if pair == 0 or workload.name == "W4":
                bench.check(workload, program)
            elif result["outputs"] != figures[program.name][0]["outputs"] and not workload.exactly_once:
                raise BenchError(f"{program.name} wrote {result['outputs']} records, before it were "
                                 f"{figures[program.name][0]['outputs']}")
            figures[program.name].append(result)
            say(f"  {workload.name} {pair + 1}/{arguments.pairs} {program.name}: {result['cpu']:.3f} CPU s per million, "
                f"{result['rate'] / 1000:,.0f} k/s, {result['memory']:.0f} MB, first output after "
                f"{result['start']:.2f} s")
    report(workload, programs, figures, weir, arguments, problems)
    if weir and workload.name == "W1" and not arguments.shuffled:
        time_weir_run(bench, workload, arguments, problems)
    if weir and not workload.needs_peer and not workload.exactly_once and not arguments.shuffled:
        count_allocations(bench, workload, weir, arguments, problems)


def report(workload, programs, figures, weir, arguments, problems):
    median = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
              for name, runs in figures.items()}
    print(f"\n{workload.name}: {workload.records:,} records, {arguments.pairs} rounds, medians"
          + (", fields shuffled" if arguments.shuffled else ""))
    print(f"  {'':14}{'CPU s/million':>14}{'records/s':>12}{'memory MB':>11}{'first output s':>16}  CPU ratio (spread)")
    base = programs[0].name
    for program in programs:
        m = median[program.name]
        ratios = [a["cpu"] / b["cpu"] for a, b in zip(figures[program.name], figures[base])]
        against = "" if program.name == base else f"  {spread(ratios)} × {base}"
        print(f"  {program.name:14}{m['cpu']:14.3f}{m['rate']:12,.0f}{m['memory']:11.0f}{m['start']:16.2f}{against}")

    if workload.name == "W1":
        by_hand = statistics.median(a["cpu"] / b["cpu"] for a, b in zip(figures["W1 by hand"], figures["raw copy"]))
        if not 1.0 <= by_hand <= 1.3:
            problems.append(f"W1: by hand / raw copy is {by_hand:.2f}, known to be between 1.0 and 1.3: "
                            "the references are not to be trusted")
    if not weir:
        return
    mine, hand = median[weir.name], median[workload.references[-1].name]
    bars = []
    if workload.cpu_ratio_max:
        ratios = [a["cpu"] / b["cpu"] for a, b in zip(figures[weir.name], figures[workload.references[-1].name])]
        bars.append((statistics.median(ratios) <= workload.cpu_ratio_max,
                     f"CPU {spread(ratios)} × {workload.references[-1].name.removeprefix(workload.name + ' ')}, "
                     f"bar {workload.cpu_ratio_max}"))
    if workload.name == "W3":
        floor = statistics.median(run["wrk"] for run in figures[weir.name])
        bar = W3_CPU_MAX * max(1, floor / W3_WRK)
        bars.append((mine["cpu"] <= bar, f"CPU {mine['cpu']:.2f} s per million; wrk alone {floor:.2f}, bar {bar:.1f} "
                                         f"({W3_CPU_MAX:.0f} where wrk needs {W3_WRK})"))
    if workload.name == "W3S":  # here CPU does not limit
        ideal = IN_FLIGHT / (sum(workload.delay_ms) / 2 / 1000)
        bars.append((mine["rate"] >= 0.9 * ideal, f"{mine['rate']:,.0f} records/s, in_flight / mean delay is {ideal:,.0f}, "
                                                  f"by hand {hand['rate']:,.0f}; bar 90 %"))
    if not workload.exactly_once:  # there the first output is seen with the first commit
        start_base = programs[0].name  # W1: the raw copy
        extra = mine["start"] - median[start_base]["start"]
        bars.append((extra <= 0.1, f"first output {extra:+.2f} s against {start_base}, bar +0.10"))
    for met, text in bars:
        print(f"  {'met    ' if met else 'MISSED '} {text}")
        if not met and arguments.enforce:
            problems.append(f"{workload.name}: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="W", help="W1 W1X W2 W3 W3S W4 LAT RST TAKE; default: all")
    parser.add_argument("--pairs", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--records", type=int, default=5_000_000, help="records to drain (default 5 million)")
    parser.add_argument("--shuffled", action="store_true", help="the input's fields stand in 16 different orders")
    parser.add_argument("--enforce", action="store_true", help="end with 1 when a bar is missed")
    parser.add_argument("--build", default=os.environ.get("WEIR_BUILD", os.path.join(ROOT, "build")))
    arguments = parser.parse_args()
    all_workloads = workloads(arguments)
    wanted = [w.upper() for w in arguments.workloads] or [*all_workloads, *OTHERS]
    for name in wanted:
        if name not in all_workloads and name not in OTHERS:
            parser.error(f"no workload {name}; there are {', '.join(all_workloads)}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))

    problems = []
    work = tempfile.mkdtemp(prefix="weir-bench-")
    bench = None
    try:
        with KafkaBroker(os.path.join(work, "kafka")) as broker:
            bench = Bench(arguments, broker, work)
            for name in wanted:
                if name == "LAT":
                    measure_latency(bench, arguments, problems)
                elif name in ("RST", "TAKE"):
                    continue  # together, last
                else:
                    measure(bench, all_workloads[name], arguments, problems)
            if state := [name for name in wanted if name in ("RST", "TAKE")]:
                measure_state(bench, arguments, problems, state)
    except (BenchError, BrokerError, RuntimeError, TimeoutError) as error:
        problems.append(str(error))
    except KeyboardInterrupt:
        problems.append("interrupted")
    finally:
        if bench:
            bench.stop_peers()
        shutil.rmtree(work, ignore_errors=True)
    for problem in problems:
        say(f"bench: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
