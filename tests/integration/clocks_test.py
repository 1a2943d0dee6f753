#!/usr/bin/env python3
"""A real skaldd whose wall clock jumps by hours, both ways, while it runs and while it is down. The
steady clock is the machine's. Needs libfaketime; skipped without it and under sanitizers, which
must be loaded first themselves.

    clocks_test.py [name...]
"""

import os
import shutil
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
from inline import call_step, definition, pivot_step, retriable_step, wait_step
from mall import Daemon
from mall_case import run_cases
from processes import SLOWDOWN, wait_until

# jemalloc asks for the time before libfaketime is ready for it, so malloc is glibc's here.
GLIBCS_MALLOC = "libstdc++.so.6 libc.so.6"  # operator new, and what it calls
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
SKIPPED = 77
HOUR = 3600
JUMPS = (HOUR, 0, -HOUR, 2 * HOUR, -2 * HOUR, 0)
TIMER_MS = 1_500
LONG_MS = 1_800_000


class Wall:
    """The wall clock of one program: an offset in a file that libfaketime reads at each look."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "wall")
        self.move_to(0)

    def move_to(self, seconds):
        with open(self.path + ".new", "w", encoding="ascii") as out:
            out.write(f"{seconds:+d}\n")
        os.replace(self.path + ".new", self.path)

    def environment(self):
        return ["env", f"LD_PRELOAD={LIBRARY} {GLIBCS_MALLOC}",
                f"FAKETIME_TIMESTAMP_FILE={self.path}", "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1"]


def sortable(timestamp):
    """RFC 3339 leaves out a fraction of zero: without its Z the text sorts as the time does."""
    return timestamp.rstrip("Z")


class Clocks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="skald-clocks-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.wall = Wall(self.folder)
        self.daemon = Daemon(self.folder)
        self.daemon.process.command = self.wall.environment() + self.daemon.process.command
        self.daemon.process.start()
        self.addCleanup(self.daemon.process.stop)
        self.engine = self.daemon.engine
        self.shop = faults.FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def begin(self, *steps):
        return self.engine.submit(inlineDefinition=definition("timed", *steps),
                                  wait="accepted")["sagaId"]

    def status(self, saga_id):
        return self.engine.get(sagaId=saga_id)["status"]

    def jumps_seen(self):
        return self.engine.metrics()["skald_wall_clock_jumps_total"]

    def move_and_wait_seen(self, seconds):
        seen = self.jumps_seen()
        self.wall.move_to(seconds)
        wait_until(lambda: self.jumps_seen() > seen, "the jump to be noticed")

    def assert_times_never_go_back(self, saga_id):
        times = [sortable(event["at"]) for event in self.engine.history(sagaId=saga_id)]
        self.assertEqual(times, sorted(times))

    def test_jumps_while_running_move_no_timer(self):
        self.shop.on("before/action", faults.answer(500), times=2)
        self.shop.on("after/action", faults.answer(503), times=2)
        began = time.monotonic()
        short = self.begin(call_step(self.shop, "before"), pivot_step(self.shop, "pay"),
                           wait_step("pause", TIMER_MS), retriable_step(self.shop, "after"))
        long = self.begin(pivot_step(self.shop, "book"), wait_step("pause", LONG_MS))
        for seconds in JUMPS:
            self.move_and_wait_seen(seconds)
        self.assertEqual(self.engine.wait(sagaId=short)["status"], "completed")
        self.assertGreaterEqual(time.monotonic() - began, TIMER_MS / 1000, "fired early")
        self.assertEqual(self.status(long), "running")
        self.assert_times_never_go_back(short)

    def test_downtime_counts_by_the_wall_and_never_backwards(self):
        long = self.begin(pivot_step(self.shop, "book"), wait_step("pause", LONG_MS))
        wait_until(lambda: self.shop.requests("book/action"), "the saga to begin")
        for seconds, status in ((-HOUR, "running"), (HOUR, "completed")):
            self.daemon.process.kill()
            self.wall.move_to(seconds)
            self.daemon.process.restart()
            wait_until(lambda: self.status(long) == status,  # pylint: disable=cell-var-from-loop
                       f"the saga to be {status} with the wall {seconds:+d} s")
        self.assert_times_never_go_back(long)
        self.daemon.process.kill()
        self.wall.move_to(-HOUR)
        self.daemon.process.restart()
        later = self.begin(pivot_step(self.shop, "again"))
        self.assertEqual(self.engine.wait(sagaId=later)["status"], "completed")
        started, ended = (sortable(self.engine.get(sagaId=saga)[field]) for saga, field in
                          ((later, "startedAt"), (long, "endedAt")))
        self.assertGreaterEqual(started, ended, "engine time went back over a restart")


def main():
    if not os.path.exists(LIBRARY) or SLOWDOWN > 1:
        print("skipped: needs libfaketime (package faketime) and no sanitizer")
        return SKIPPED
    return run_cases([Clocks], names=sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
