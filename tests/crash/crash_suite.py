#!/usr/bin/env python3
"""Copies of a pipeline between topics of a real broker are killed, stopped, replaced and joined, their disks and the broker's
are full, and the broker is restarted, round after round while orders come at a steady rate. All that comes out has to be
there exactly once; with --at-least-once, where outputs leave at once, it may come again as long as no commit covers it.

Each order asks a real HTTP service under its own paths, so the service's log says what was pending at a fault and that it
was asked for again. Most copies are built with faults, and die or stop at a step of their commits that is chosen, each step
in turn (steps.py); the others are what `weir build` makes. What has to come out is worked out from the input (orders.py).
Exit code 1: something was wrong; the logs are kept and named.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import steps  # noqa: E402
from copies import Copies, Wrong  # noqa: E402
from covered import PRICED, Covered  # noqa: E402
from harness import BUILD, Kafka, Peer, build, now, until  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from kafka_cluster import KafkaCluster  # noqa: E402
from late_broker import LateBroker  # noqa: E402
from orders import RATE, Model, Orders, Writer  # noqa: E402
from passed_cases import write as write_passed_cases  # noqa: E402
from published import Published  # noqa: E402

PARTITIONS = 4
PENDING = 100        # requests that must be pending at each fault
AIM_S = 10           # so long at most it is waited for one that can be aimed at
DELAY_MS = 50, 650   # of answers
ANSWERED_S = 0.5     # after which many are there
STANDS_S = 1         # and no commit came; they come ten times a second
MOST_ROUND_S = 60    # orders enough for so long a round are prepared
READ = ("orders", "crash.by_symbol.window.rekey.rekey")
OUTPUTS = (*PRICED, "by.account", "by.symbol")
FAULTS = ("kill one", "kill all", "stop", "hand over", "join", "broker stop", "broker kill", "broker's disk", "copy's disk")
FAULTS_AT_LEAST_ONCE = (*FAULTS, "outputs cut off")
FAULTS_OF_GROWTH = ("partitions added", "kill all")
FAULTS_OF_THREE = ("kill one", "stop", "group's stop", "group's kill", "transactions' kill", "rolling restart")
# After these a request need not be asked for again: it may be answered within the grace time, stay with its worker, or end
# before its partition moves. Such a round counts when one was asked for again.
MAY_MOVE_NOTHING = ("hand over", "join", "broker stop", "broker kill", "broker's disk", "group's stop", "group's kill",
                    "transactions' kill", "rolling restart")
# At how many steps copies die or stop in such a round, at least.
AIMED = {"kill one": 1, "kill all": 2, "stop": 1, "copy's disk": 1}


class Suite(Copies):
    def __init__(self, rounds, seed, kinds, directory, brokers=1, grows=False, at_least_once=False):
        super().__init__(directory, random.Random(seed), grows, at_least_once)
        self.rounds, self.seed, self.kinds = rounds, seed, kinds
        self.orders, self.most = Orders(seed), (rounds + 5) * MOST_ROUND_S * RATE
        self.outputs = tuple(topic for topic in OUTPUTS if not (grows and topic == "by.account"))
        self.partitions = PARTITIONS  # of the orders
        # With rounds enough in which copies die at a step a run comes to every step of the protocol.
        each = rounds // len(kinds)
        self.whole = (brokers == 1 and not grows and each * kinds.count("kill all") >= 2
                      and each * sum(AIMED.get(kind, 0) for kind in kinds) >= len(self.working.names))
        brokers_directory = os.path.join(directory, "broker")
        self.proxy = None
        if brokers == 3:
            self.broker = KafkaCluster(directory=brokers_directory)
        elif "outputs cut off" in kinds:
            late = LateBroker(directory=brokers_directory)
            self.broker, self.proxy = late.broker, late.proxy
        else:
            self.broker = KafkaBroker(directory=brokers_directory)
        self.kafka = Kafka(self.broker)
        self.covered = Covered()
        self.published = Published(self.broker, at_least_once)
        self.times = defaultdict(list)
        self.counted = 0
        self.began = now()

    # ---- Progress ----

    def ends(self, *topics):
        def asked():
            try:
                return [json.loads(line) for line in self.kafka._tool("ends", *topics).splitlines()]
            except RuntimeError:  # leaders move
                return None
        return until(asked, 60, "the brokers say where topics end")

    def written(self, *topics):
        """Where topics end now, uncommitted records included."""
        return {(e["topic"], e["partition"]): e["written"] for e in self.ends(*topics)}

    def mark(self):
        return self.written(*READ, *self.outputs)

    def settle(self):
        """Whether each partition is with one task, and stays there until a commit covers what came out: notes that this may
        not come again."""
        recoveries = self.recoveries()
        held = sorted(partition for partitions, _ in self.held().values() for partition in partitions)
        if held != list(range(self.partitions)):
            return False
        orders = {partition: end for (_, partition), end in self.written("orders").items()}
        self.wait_progress(self.mark())  # they are read
        time.sleep(ANSWERED_S)
        before = self.written(*PRICED)  # and then the mark: a commit behind it is one behind these
        self.wait_progress(self.mark())
        after = self.written(*PRICED)
        if self.recoveries() != recoveries:
            return False
        self.covered.add(orders, before, after)
        return True

    def partitions_of(self, topic):
        return self.partitions if topic == "orders" else PARTITIONS

    def wait_progress(self, mark, timeout_s=60):
        """Every task has read and committed all that was there at the mark, and outputs behind it are committed. What is
        read counts, since the outputs' ends move with the marker of an aborted transaction too."""
        behind = []

        def moved():
            nonlocal behind
            self.alive()
            try:
                committed = {topic: self.kafka.committed("crash", topic, self.partitions_of(topic)) for topic in READ}
            except RuntimeError as error:  # nobody coordinates the group right after a restart
                behind = [str(error)]
                return False
            behind = [f"{topic}/{p}" for topic in READ for p in range(self.partitions_of(topic))
                      if committed[topic][p] <= mark[topic, p]]
            if behind:
                return False
            ends = self.ends(*self.outputs)
            behind = [topic for topic in self.outputs
                      if all(e["stable"] <= mark[topic, e["partition"]] for e in ends if e["topic"] == topic)]
            return not behind

        began = now()
        try:
            until(moved, timeout_s, "progress")
        except TimeoutError:
            self.write_stacks()
            raise Wrong(f"no progress within {timeout_s} s: {', '.join(behind)}") from None
        return now() - began

    def write_stacks(self):
        """What every thread of every copy does now, beside the copy's log, where there is a debugger; and whom the group knows."""
        with open(os.path.join(self.directory, "members"), "w") as out:
            try:
                print(*self.kafka.members("crash"), sep="\n", file=out)
            except RuntimeError as error:
                print(error, file=out)
        for copy in self.copies:
            if shutil.which("gdb") and copy.process.poll() is None:
                with open(os.path.join(copy.directory, "stacks"), "w") as out:
                    subprocess.run(["gdb", "-p", str(copy.process.pid), "-batch", "-ex", "thread apply all backtrace"],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)

    # ---- Faults: each returns how long it took from the fault to progress; self.where says at which step it was ----

    def fault_kill_one(self, victim):
        self.where = self.hit(victim)
        self.kill(victim)
        began = now()
        if len(self.copies) < 2:
            self.again(victim)
        self.wait_progress(self.mark())
        return now() - began

    def fault_kill_all(self, victim):
        others = [copy for copy in self.busy() if copy is not victim and copy.aimed]
        self.where = " and ".join(self.hit(copy) for copy in (victim, *others))
        victims = list(self.copies)
        for copy in victims:
            copy.process.kill()
        for copy in victims:
            self.kill(copy)
        began = now()
        mark = self.mark()
        self.again_after_others(victims[0])
        self.again(victims[1])
        self.wait_progress(mark)
        return now() - began

    def fault_stop(self, victim):
        """Stopped until others have all its partitions; going on it must do no harm and find its place."""
        if len(self.copies) < 2:
            raise AssertionError("nobody is there to take over")
        self.where = self.halt(victim)
        began = now()
        self.copies.remove(victim)  # it answers nothing
        try:
            self.wait_progress(self.mark())
            seconds = now() - began
        finally:
            self.hit_if_it_aborts(victim)
            victim.process.send_signal(signal.SIGCONT)
            self.copies.append(victim)
        self.wait_ready(victim)
        self.wait_progress(self.mark())
        return seconds

    def fault_hand_over(self, victim):
        began = now()
        self.leave(victim)
        self.wait_progress(self.mark())
        return now() - began

    def fault_join(self, victim):
        began = now()
        joined = self.copy()
        self.wait_ready(joined)
        self.wait_progress(self.mark())
        return now() - began

    def fault_broker_stop(self, victim):
        self.hit_if_it_aborts(victim)
        return self.restart_broker(self.broker.stop)

    def fault_broker_kill(self, victim):
        self.hit_if_it_aborts(victim)
        return self.restart_broker(self.broker.kill)

    def fault_brokers_disk(self, victim):
        """No file of the broker may grow any more: it ends by itself, and comes back when there is room."""
        def fill():
            resource.prlimit(self.broker.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            until(lambda: not self.broker.running(), 60, "the broker ends, since it cannot write")
        return self.restart_broker(fill)

    def fault_partitions_added(self, victim):
        """All copies end and say that they are to be started again; the new partitions are read from their beginning."""
        began = now()
        self.partitions += 1
        self.kafka.grow("orders", self.partitions)
        ended, self.copies = self.copies, []
        for copy in ended:
            code = copy.process.wait(60)
            if code != 7 or "start again" not in copy.log():
                raise Wrong(f"{copy.name} ended with {code} after a partition was added:\n{copy.log()[-3000:]}")
        for copy in ended:
            self.again(copy)
        self.wait_progress(self.mark())
        return now() - began

    def restart_broker(self, end):
        began = now()
        end()
        self.broker.start()
        self.wait_progress(self.mark())
        return now() - began

    def fill_disk(self, copy):
        """From now on none of its files may grow: the copy gives its local stores up, says so, and goes on."""
        resource.prlimit(copy.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        said = len(copy.log())

        def given_up():
            self.alive()
            return re.search(r"/tasks/[^ ]+: [^\n]*File too large\. It is given up, and the pipeline goes on",
                             copy.log()[said:])
        try:
            until(given_up, 30, f"{copy.name} gives up its local stores")
        except TimeoutError as error:
            raise Wrong(f"{error}, whose disk is full:\n{copy.log()[said:][-3000:]}") from None
        self.wait_progress(self.mark())

    def fault_copys_disk(self, victim):
        """The copy whose disk is full dies or leaves, and comes back when there is room: what it has to replay is not there."""
        began = now()
        if self.working.missed() or self.choose.random() < 0.7:
            self.where = self.hit(victim)
            self.kill(victim)
        else:
            self.leave(victim)
        victim.log()  # all that it said is in the file, which may be the same
        again = self.copy(victim.directory)
        self.wait_ready(again)
        self.wait_progress(self.mark())
        # What was spoiled when it came back before may be read only now.
        given_up = [why for why in re.findall(r'"msg":"([^"]*) It is given up', again.log_of_this_life()) if "is damaged" not in why]
        if given_up:
            raise Wrong(f"{again.name} has room, and gave local stores up:\n" + "\n".join(given_up))
        return now() - began

    def cut_outputs_off(self):
        """From now on no connection carries outputs, while transactions and all else go through."""
        self.proxy.cut = lambda request, _: (request.name == "Produce" and request.whose is None
                                             and request.client.startswith("weir-crash-"))
        self.wait_commits_stand()

    def fault_outputs_cut_off(self, victim):
        """The copy dies with outputs that did not get through; then those of others do again."""
        began = now()
        self.kill(victim)
        self.proxy.cut = None
        if len(self.copies) < 2:
            self.again(victim)
        self.wait_progress(self.mark())
        return now() - began

    def wait_commits_stand(self):
        """Until no commit came for a while, though orders come."""
        since, committed = now(), None

        def stand():
            nonlocal since, committed
            self.alive()
            before, committed = committed, self.kafka.committed("crash", "orders", self.partitions)
            if committed != before:
                since = now()
            return now() - since > STANDS_S

        try:
            until(stand, 30, "commits wait")
        except TimeoutError:
            raise Wrong("commits go on while no output gets through") from None

    # ---- The same, of three brokers ----

    def without(self, node, end):
        """Others take over what this node did; then it comes back."""
        began = now()
        end()
        self.wait_progress(self.mark())
        seconds = now() - began
        node.start()
        self.broker.wait_in_sync()
        self.wait_progress(self.mark())
        return seconds

    def fault_groups_stop(self, victim):
        node = self.broker.coordinator("crash")
        return self.without(node, node.stop)

    def fault_groups_kill(self, victim):
        node = self.broker.coordinator("crash")
        return self.without(node, node.kill)

    def fault_transactions_kill(self, victim):
        with open(os.path.join(victim.directory, "state", "instance")) as identity:
            node = self.broker.coordinator(f"weir-crash-{identity.read(32)}-0", of_transactions=True)
        return self.without(node, node.kill)

    def fault_rolling_restart(self, victim):
        longest = 0
        for node in self.broker.nodes.values():
            longest = max(longest, self.without(node, node.stop))
        return longest

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

    def wait_pending(self, aimed, of=None):
        """Until PENDING requests are pending, some at a copy that can be aimed at, or at `of`: the service's log, their
        paths, and the copies that have them."""
        log, pending, busy = [], set(), {}
        self.peer.tell("clear")
        began = now()

        def due():
            nonlocal log, pending, busy
            # Before, those that a copy has under way may all be older than the log, which then shows none of them: another
            # copy that catches up makes enough of them at once.
            if now() - began < DELAY_MS[1] / 1000:
                return False
            busy = self.busy()
            # It may be the one that has no partition, where there are more workers than partitions.
            if of is not None:
                busy = {copy: held for copy, held in busy.items() if copy is of}
            elif aimed and now() - began < AIM_S:
                busy = {copy: held for copy, held in busy.items() if copy.aimed}
            if not busy:
                return False
            time.sleep(self.choose.uniform(0, 0.1))  # anywhere between two commits: the moment is the point
            log = self.peer.log()
            pending = {entry["path"] for entry in log if entry["answered_as"] == 0}
            return len(pending) >= PENDING

        until(due, 60, f"{PENDING} requests are pending")
        return log, pending, busy

    def round(self, kind):
        if self.at_least_once and not self.grows:
            self.settle()  # or not: faults come while partitions move as well
        self.prepare(kind)
        # Each step is hit once before it is left to chance who dies.
        aimed = kind in AIMED and not self.grows and self.working.missed()
        log, pending, busy = self.wait_pending(aimed)
        if kind == "copy's disk":
            full = self.choose.choice(list(busy))
            self.fill_disk(full)
            log, pending, busy = self.wait_pending(aimed, full)
        elif kind == "outputs cut off":
            self.cut_outputs_off()
            log, pending, busy = self.wait_pending(aimed)
        victim = self.choose.choice(list(busy))
        self.where = "any"
        seconds = getattr(self, "fault_" + kind.replace(" ", "_").replace("'", ""))(victim)
        self.alive()
        for copy in self.copies:
            steps.disarm(copy.directory)
        asked = {entry["path"] for entry in self.peer.log()[len(log):]}
        again = len(pending & asked)
        counts = again > 0
        if not counts and kind not in MAY_MOVE_NOTHING:
            held = ", ".join(f"{copy.name} held {p} with {n} requests" for copy, (p, n) in busy.items())
            raise Wrong(f"{kind} of {victim.name}: of {len(pending)} requests that were pending none was asked for again; "
                        f"{held}")
        self.counted += counts
        self.times[kind].append(seconds)
        name = f"round {self.counted:3}" if counts else "not counted"
        at = "" if self.where == "any" else f"  at {self.where}"
        print(f"{now() - self.began:6.1f} s  {name:11}  {kind:18}  pending {len(pending):4}  asked again {again:4}  "
              f"progress after {seconds:5.1f} s  copies {len(self.copies)}{at}", flush=True)

    def source(self):
        """crash.weir, or what the build made of it for outputs at once; without the windows that stand where the orders'
        partitions decide, where those are added."""
        made = os.path.join(BUILD, "tests", "crash", "at_least_once")
        path = os.path.join(made if self.at_least_once else HERE, "crash.weir")
        if not self.grows:
            return path
        with open(path) as file:
            text = file.read()
        text = re.sub(r"stream by_account =.*?\n  }\n(?=stream)|sink account_out.*?\n", "", text, flags=re.S)
        path = os.path.join(self.directory, "crash.weir")
        with open(path, "w") as file:
            file.write(text)
        return path

    def run(self):
        if self.grows or not self.at_least_once:
            self.plain = build(self.source(), self.directory)
        quotes = os.path.join(self.directory, "quotes.ndjson")
        self.orders.write_quotes(quotes, self.most)
        self.peer = Peer("--data", quotes)
        self.peer.tell(f"set?record=1&seed={self.seed}&delay={'..'.join(map(str, DELAY_MS))}")
        self.broker.start()
        for topic in ("orders", *self.outputs, "lost"):
            self.kafka.create(topic, PARTITIONS)
        self.began = now()
        self.writer = Writer(self.orders, self.broker.bootstrap, self.most, os.path.join(self.directory, "writer.log"))
        for _ in range(2):
            self.copy()
        for copy in self.copies:
            self.wait_ready(copy)  # from then on there are the topics that it makes for itself
        self.wait_progress(self.mark())
        if self.at_least_once and not self.grows:
            until(self.settle, 60, "each partition stays with one task")
        faults = self.faults()
        tries = 0
        while self.counted < self.rounds or self.missed():
            tries += 1
            if tries > self.rounds * 2:
                raise Wrong(f"only {self.counted} of {tries} rounds had requests that were asked for again; steps that the run "
                            f"had to come to and did not: {', '.join(self.missed()) or 'none'}")
            self.round(next(faults))
        self.finish()

    def missed(self):
        """Steps at which a copy has to die or stop yet."""
        return self.working.missed() + self.starting.missed() if self.whole else []

    # ---- The end ----

    def finish(self):
        rounds_s = now() - self.began
        closing = list(self.orders.closing(self.most))
        count = self.writer.end(closing)
        model = Model(self.orders, count, closing)
        if self.grows:
            model.lost = [letter for letter in model.lost if letter[0][0] != "by_account"]
        wanted = {"priced.input": len(model.priced), "priced.key": len(model.priced), "priced.none": len(model.priced),
                  "by.account": len(model.by_account), "by.symbol": len(model.by_symbol), "lost": len(model.lost)}
        wanted = {topic: number for topic, number in wanted.items() if topic in (*self.outputs, "lost")}
        have = {}

        def done():
            for copy in self.copies:
                if copy.process.poll() is not None:
                    raise Wrong(f"{copy.name} ended by itself:\n{copy.log()[-3000:]}")
            for topic, number in wanted.items():
                if have.get(topic, -1) < number:
                    have[topic] = self.published.come_out(topic)
            return all(have[topic] >= number for topic, number in wanted.items())

        try:
            until(done, 120, "everything is worked off")
        except TimeoutError:
            print("not everything came out: " + ", ".join(f"{t} {have[t]} of {n}" for t, n in wanted.items()), flush=True)
        for copy in self.copies:
            code = copy.stop()
            if code != 0:
                raise Wrong(f"{copy.name} ended with {code}:\n{copy.log()[-3000:]}")

        problems = self.published.problems(model, self.grows, self.covered)
        if self.at_least_once:
            problems += self.tried_nothing()
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
              f"there {self.times_of_outputs()}, in order, no transaction open")
        for kind, times in self.times.items():
            times.sort()
            print(f"  {kind:18} {len(times):3} times, progress after {times[len(times) // 2]:5.1f} s in the middle, "
                  f"{times[-1]:5.1f} s at most")
        print("  local stores of copies that came back: " +
              ", ".join(f"{how} {times} times" for how, times in sorted(self.spoiled.items())))
        hits = self.working.hit + self.starting.hit + self.aborting.hit
        passed = steps.passed(self.directories)
        for step in (*self.working.names, *self.starting.names, *self.aborting.names) if passed else ():
            print(f"  {step:32} passed {passed[step]:6} times, hit {hits[step]:3}")
        # How an epoch comes to be taken back is not in our hands: long runs have it for certain.
        if self.whole and self.counted >= 100:
            missed = self.aborting.missed()
            if missed:
                raise Wrong("the run did not come to these steps: " + ", ".join(missed))

    def tried_nothing(self):
        """Why a run at least once shows nothing."""
        died = {"kill one", "kill all", "stop"} & set(self.times)
        if died and self.published.repeats == 0:
            yield "copies died, and nothing came again: outputs wait for commits"
        if self.covered.outputs == 0 and not self.grows:
            yield "no commit was seen to cover an output"

    def times_of_outputs(self):
        if not self.at_least_once:
            return "once"
        covered = "" if self.grows else f", and none of {self.covered.outputs} that a commit was seen to cover"
        return f"at least once ({self.published.repeats} again{covered})"

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
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="with three, coordinators and leaders move")
    parser.add_argument("--at-least-once", action="store_true", help="outputs leave at once and may come again")
    parser.add_argument("--grow", action="store_true", help="the orders' topic gets more and more partitions")
    every = dict.fromkeys(FAULTS_AT_LEAST_ONCE + FAULTS_OF_THREE + FAULTS_OF_GROWTH)
    parser.add_argument("--only", action="append", choices=every, metavar="FAULT",
                        help=f"only this kind of fault; others may be added, or the same to have it more often: "
                             f"{', '.join(FAULTS)}; with --at-least-once also outputs cut off; with three brokers: "
                             f"{', '.join(FAULTS_OF_THREE)}; with --grow: {', '.join(FAULTS_OF_GROWTH)}")
    arguments = parser.parse_args()
    kinds = (FAULTS_OF_GROWTH if arguments.grow else FAULTS_OF_THREE if arguments.brokers == 3 else
             FAULTS_AT_LEAST_ONCE if arguments.at_least_once else FAULTS)
    if not set(arguments.only or ()) <= set(kinds):
        parser.error(f"here --only is one of: {', '.join(kinds)}")
    seed = random.randrange(10**9) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="weir-crash-")
    suite = Suite(arguments.rounds, seed, arguments.only or kinds, directory, arguments.brokers, arguments.grow,
                  arguments.at_least_once)
    try:
        suite.run()
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, Wrong):
            traceback.print_exc()
        suite.close()
        print(f"WRONG: {error}\nseed {seed}; the logs of the copies and the broker are in {directory}", file=sys.stderr)
        return 1
    suite.close()
    write_passed_cases(["at least once"] if arguments.at_least_once else [kind for kind in kinds if suite.times[kind]])
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
