"""Copies of the pipeline: started on their own directory or on that of one that is gone, looked at, and done away with, at a
step of their commits where they are built with faults."""

import os
import re
import signal
from collections import defaultdict

import steps
from harness import BUILD, Pipeline, until
from spoiled_stores import spoil
from steps import Steps

SESSION_MS = 6000
PENDING_THERE = 25   # requests that the copy must have which a fault happens to: as many come to one partition
STEP_S = 30          # within which a copy comes to any step
SETTINGS = ("--grace", "100ms", f"--kafka.session.timeout.ms={SESSION_MS}", "--kafka.heartbeat.interval.ms=1000",
            # A broker that comes back now and then waits so long for members that are no more.
            "--kafka.max.poll.interval.ms=20000")


class Wrong(Exception):
    """What the suite is there to find."""


class Copies:
    def __init__(self, directory, choose, grows, at_least_once):
        """`grows`: all are what `weir build` makes, of a pipeline whose input gets partitions."""
        self.directory, self.choose, self.grows, self.at_least_once = directory, choose, grows, at_least_once
        self.copies = []
        self.copies_made = 0
        self.directories = []
        working = steps.WORKING_AT_LEAST_ONCE if at_least_once else steps.WORKING
        self.working, self.starting, self.aborting = (Steps(names, self.choose)
                                                      for names in (working, steps.STARTING, steps.ABORTING))
        program = "crash_program_at_least_once" if at_least_once else "crash_program"
        self.aimed = os.path.join(BUILD, "tests", "crash", program)
        self.spoiled = defaultdict(int)  # local stores of copies that came back
        # What else they are, and whom they need, before the first of them starts.
        self.plain = self.broker = self.peer = self.writer = None

    def copy(self, directory=None, aimed=False):
        """Starts a copy: on the state directory of one that ended, or on its own; one that can be aimed at, or any."""
        if directory is None:
            self.copies_made += 1
            directory = os.path.join(self.directory, f"copy-{self.copies_made}")
            os.mkdir(directory)
            self.directories.append(directory)
        workers = self.choose.choice((1, 2))
        arguments = ["--set", f"brokers={self.broker.bootstrap}", "--set", f"url={self.peer.url}", *SETTINGS,
                     "--workers", str(workers), *(["--kafka.topic.metadata.refresh.interval.ms=500"] if self.grows else [])]
        if self.choose.random() < 0.5:
            arguments.append("--leave")
        if self.choose.random() < 0.3:
            arguments.append("--standby")
        # One that can be aimed at is always there. Where outputs leave at once, all count how often they recover: see settle.
        plain = self.grows or (not self.at_least_once and not aimed and any(copy.aimed for copy in self.copies)
                               and self.choose.random() < 0.4)
        pipeline = Pipeline(self.plain if plain else self.aimed, directory, *arguments,
                            environment={} if plain else steps.environment(directory))
        pipeline.name = os.path.basename(directory)
        pipeline.aimed, pipeline.may_abort = not plain, False
        pipeline.log_through_pipe = True  # what it says is not on its disk, which may be full
        steps.disarm(directory)
        self.copies.append(pipeline)
        return pipeline.start(wait_ready=False)

    def again(self, ended, aimed=False):
        """A copy in place of one that is gone: as likely on its state directory as on another machine."""
        stays = self.choose.random() < 0.5
        if stays:
            self.spoiled[spoil(os.path.join(ended.directory, "state", "tasks"), self.choose)] += 1
        return self.copy(ended.directory if stays else None, aimed)

    def again_after_others(self, ended):
        """Copies that come in its place die while they come by their partitions, until one stays."""
        dying = 0 if self.grows else 3 if len(self.starting.missed()) > 2 else 2
        for _ in range(dying):
            ended = self.again(ended, aimed=True)
            step = self.starting.next()
            steps.arm(ended.directory, "kill", step)
            self.wait_killed(ended, self.starting, step)
            self.kill(ended)
        self.again(ended, aimed=not self.grows)

    def wait_killed(self, copy, of, step):
        def killed():
            code = copy.process.poll()
            if code not in (None, -signal.SIGKILL):
                raise Wrong(f"{copy.name} ended by itself with {code}:\n{copy.log()[-3000:]}")
            return code is not None
        try:
            until(killed, STEP_S, f"{copy.name} comes to {step}")
        except TimeoutError as error:
            raise Wrong(str(error)) from None
        of.hit[step] += 1

    def hit(self, victim):
        """The victim dies, at a step of its commit when it is one of those that can be aimed at."""
        if not victim.aimed:
            victim.process.kill()
            return "any"
        step = self.working.next()
        steps.arm(victim.directory, "kill", step)
        self.wait_killed(victim, self.working, step)
        return step

    def halt(self, victim):
        """The same with SIGSTOP."""
        if not victim.aimed:
            victim.process.send_signal(signal.SIGSTOP)
            return "any"
        step = self.working.next()
        steps.arm(victim.directory, "stop", step)

        def halted():
            with open(f"/proc/{victim.process.pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "T"
        until(halted, STEP_S, f"{victim.name} comes to {step}")
        self.working.hit[step] += 1
        return step

    def kill(self, copy):
        copy.kill()
        self.copies.remove(copy)

    def leave(self, victim):
        victim.process.send_signal(signal.SIGTERM)
        self.copies.remove(victim)
        code = victim.process.wait(30)
        if code != 0:
            raise Wrong(f"{victim.name} ended with {code} after SIGTERM:\n{victim.log()[-3000:]}")

    def hit_if_it_aborts(self, victim):
        """It dies when it takes an epoch back, if it comes to that in this round: see alive."""
        victim.may_abort = victim.aimed and self.choose.random() < 0.5
        if victim.may_abort:
            steps.arm(victim.directory, "kill", *steps.ABORTING)

    def alive(self):
        for copy in list(self.copies):
            code = copy.process.poll()
            if code == -signal.SIGKILL and copy.may_abort and not steps.armed(copy.directory):
                self.aborting.hit.update(steps.ABORTING)
                self.copies.remove(copy)
                self.again(copy)
            elif code is not None:
                raise Wrong(f"{copy.name} ended by itself with {copy.process.returncode}:\n{copy.log()[-3000:]}")
        self.writer.check()

    def held(self):
        """The partitions of the orders that each copy holds, and its requests under way."""
        self.alive()
        found = {}
        for copy in self.copies:
            _, text = copy.get("metrics")
            held = re.findall(r'^weir_source_lag_records\{[^}]*source="orders"[^}]*partition="(\d+)"', text, re.M)
            under_way = sum(float(n) for n in re.findall(r"^weir_lookup_inflight\{[^}]*\} (\S+)$", text, re.M))
            found[copy] = sorted(map(int, held)), int(under_way)
        return found

    def busy(self):
        """Those of them with requests enough."""
        return {copy: (held, under_way) for copy, (held, under_way) in self.held().items()
                if held and under_way >= PENDING_THERE}

    def recoveries(self):
        """How often copies that are built with faults got a task back, those that are gone included."""
        return steps.passed(self.directories)["recovery.done"]

    def wait_ready(self, copy):
        def ready():
            self.alive()
            try:
                return copy not in self.copies or copy.get("readyz")[0] == 200
            except RuntimeError:  # it ended just now
                return False
        until(ready, 60, f"{copy.name} is ready")
