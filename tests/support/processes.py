"""Real processes for tests and the demo: started on ports of their own, killed, restarted, stopped.

What runs in them is mall.py's. Call start() and restart() from a thread that lives as long as the
process shall: the kernel kills it when that thread ends, so that nothing outlives a killed test.
"""

import http.client
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

# Every bound of a test is multiplied by it: programs watched by a sanitizer are slower.
SLOWDOWN = float(os.environ.get("SKALD_SLOWDOWN") or 1)
READY_WITHIN_S = 60.0  # machines that build at the same time are slow
STOP_WITHIN_S = 20.0 * SLOWDOWN
LOG_LINES_SHOWN = 25
SANITIZER_REPORT = re.compile(r"(ERROR|WARNING): \w+Sanitizer.*|.*: runtime error: .*")
PORTS = range(14000, 32000)  # below the ports that outgoing connections take

_never = threading.Event()
_given = set()


def pause(seconds):
    """Between two looks at a fact."""
    _never.wait(seconds)


def wait_until(fact, what, within=READY_WITHIN_S, every=0.02):
    """The first true answer of `fact`. Raises TimeoutError, which says what was awaited."""
    within *= SLOWDOWN
    ends = time.monotonic() + within
    while True:
        answer = fact()
        if answer:
            return answer
        if time.monotonic() > ends:
            raise TimeoutError(f"waited {within:.0f} s for {what}")
        pause(every)


def free_port():
    """A loopback port that nothing listens on, and that was not given before."""
    for _ in range(200):
        port = random.SystemRandom().choice(PORTS)
        if port in _given:
            continue
        if can_listen(port):
            _given.add(port)
            return port
    raise OSError("no free port")


def can_listen(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def http_get(port, path, timeout=2.0):
    """(status, text), or None where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Process:
    """One program, its log, and how to know that it is ready."""

    def __init__(self, name, command, log_path, ready_port):
        self.name = name
        self.command = [str(word) for word in command]
        self.log_path = log_path
        self.ready_port = ready_port
        self.kills = 0
        self._child = None

    def start(self, wait=True):
        assert self._child is None or self._child.poll() is not None, f"{self.name} runs already"
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(guard + self.command, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=subprocess.STDOUT)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, within=READY_WITHIN_S):
        def ready():
            if self._child.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self._child.returncode}:\n"
                                     f"{self.log_tail()}")
            answer = http_get(self.ready_port, "/readyz")
            return answer is not None and answer[0] == 200
        try:
            wait_until(ready, f"{self.name} to be ready", within)
        except TimeoutError as late:
            raise TimeoutError(f"{late}\n{self.log_tail()}") from late

    def kill(self):
        """kill -9, and waits until it is gone."""
        self._child.send_signal(signal.SIGKILL)
        self._child.wait(STOP_WITHIN_S)
        self.kills += 1

    def restart(self, wait=True):
        """The same command: same ports, same data."""
        return self.start(wait)

    def send(self, number):
        self._child.send_signal(number)

    def wait_end(self, within=STOP_WITHIN_S):
        return self._child.wait(within)

    def stop(self):
        """SIGTERM; if it does not end, kill -9. The exit code, None where it never ran. Raises
        AssertionError where a sanitizer had something to say, leaks at the end included."""
        if self._child is None:
            return None
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        report = SANITIZER_REPORT.search(self.log_text())
        assert report is None, f"{self.name}: {report.group()}\n{self.log_tail(200)}"
        return self._child.returncode

    @property
    def alive(self):
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self):
        return self._child.pid

    def log_text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=LOG_LINES_SHOWN):
        tail = self.log_text().splitlines()[-lines:]
        return "".join(f"  {self.name} | {line}\n" for line in tail)


def binary(folder, *names):
    """The first of the programs that is built. Raises FileNotFoundError with what to do."""
    for name in names:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"none of {', '.join(names)} is in {folder}: run tools/x build")
