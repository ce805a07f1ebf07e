"""The steps of the commit protocol, and copies that are stopped or killed at one of them: see step_faults.h."""

import glob
import os
import struct
from collections import Counter

# Each is passed again and again while a copy works, …
WORKING = ("transaction.begun", "transaction.output_written", "transaction.rekeyed_written", "transaction.changes_written",
           "transaction.flushed", "transaction.offsets_sent", "transaction.committed", "transaction.done")
# … and where sinks have the outputs before the transaction begins, …
WORKING_AT_LEAST_ONCE = ("transaction.outputs_acknowledged",
                         *(step for step in WORKING if step != "transaction.output_written"))
# … while it comes by its partitions, …
STARTING = ("transaction.fenced", "recovery.offsets_read", "recovery.end_asked", "recovery.replayed", "recovery.done")
# … and when an epoch is taken back.
ABORTING = ("transaction.aborted",)


def environment(directory):
    return {"WEIR_FAULTS": _path(directory)}


def arm(directory, action, step):
    """What is to happen to the copy that runs there: "kill" or "stop"."""
    new = _path(directory) + ".new"
    with open(new, "w") as out:
        out.write(f"{action} {step}")
    os.rename(new, _path(directory) + ".fault")


def disarm(directory):
    """False: it has happened."""
    try:
        os.unlink(_path(directory) + ".fault")
        return True
    except FileNotFoundError:
        return False


def armed(directory):
    return os.path.exists(_path(directory) + ".fault")


def passed(directories):
    """How often each step was passed by the copies that ran there."""
    counts = Counter()
    for directory in directories:
        for path in glob.glob(_path(directory) + ".steps"):
            with open(path, "rb") as steps:
                for name, count in struct.iter_unpack("56sQ", steps.read()):
                    if count:
                        counts[name.rstrip(b"\0").decode()] += count
    return counts


def _path(directory):
    return os.path.join(directory, "faults")


class Steps:
    """Steps to be hit, each as often as the others, in random order."""

    def __init__(self, names, choose):
        self.names, self._choose, self._left = names, choose, []
        self.hit = Counter()

    def next(self):
        if not self._left:
            self._left = list(self.names)
            self._choose.shuffle(self._left)
        return self._left.pop()

    def missed(self):
        return [step for step in self.names if not self.hit[step]]
