"""Server processes that never outlive the test that started them, and ports nobody else takes.

Shared by the harnesses in this folder. Python's standard library only.
"""

import ctypes
import random
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For preexec_fn: the kernel kills the child when its parent is gone, however the parent ended."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A port that is free now and that no outgoing connection will ever be given.

    Ports come from below the ephemeral range (32768): while a server is down, a client that keeps reconnecting to an
    ephemeral port on loopback can connect to itself and so take the port away from the server.
    """
    for _ in range(1000):
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port on 127.0.0.1 between 15000 and 32000")


class Process:
    """A child process that writes its output to a file, stopped by its own id only."""

    def __init__(self, command, log_path, **popen):
        self.log_path = log_path
        self._log = open(log_path, "ab")
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent, **popen)
        self.pid = self._child.pid

    def running(self):
        return self._child.poll() is None

    def exit_code(self):
        return self._child.poll()

    def end(self, sig, timeout_s):
        """Sends `sig` and waits; kills the process when it does not end in time. Returns whether it ended by itself."""
        if self.running():
            self._child.send_signal(sig)
        try:
            self._child.wait(timeout_s)
            return True
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            return False
        finally:
            self._log.close()

    def log_tail(self, lines=25):
        with open(self.log_path, "rb") as log:
            text = log.read()[-20000:].decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])


def wait_until(condition, timeout_s, what, pause_s=0.02):
    """Asks `condition` again and again until it is true; it decides, the pause only keeps us from spinning."""
    end = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not so after {timeout_s} s")
        time.sleep(pause_s)
