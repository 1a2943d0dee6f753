#!/usr/bin/env python3
"""A full disk under a real skaldd: 8 MiB of tmpfs. Submissions are refused with the limit named,
open sagas go on and reads answer; when not even the reserve is left, writing ends and reads go on;
after space returns a restart loses nothing that was acknowledged.

    full_disk_test.py [name...]     only tests whose name contains one of the names
Exit 77 (skipped) where nothing may be mounted."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, NoAnswer
from fault_proxy import FaultProxy
from inline import definition, pivot_step, wait_step
from mall import Daemon
from mall_case import run_cases
from processes import wait_until

DISK_BYTES = 8 << 20
RESERVE_BYTES = 2 << 20
PAYLOAD = "p" * 20_000
FOREVER_MS = 3_600_000
SUBMISSIONS_MAX = 5_000


def mount(folder):
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False).returncode == 0


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="skald-full-disk-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.disk = os.path.join(self.folder, "disk")
        os.mkdir(self.disk)
        self.assertTrue(mount(self.disk), "mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)
        self.daemon = Daemon(self.folder, data=os.path.join(self.disk, "data"),
                             flags=["--engine-disk-reserve-bytes", str(RESERVE_BYTES)])
        self.engine = self.daemon.engine
        self.daemon.process.start()
        self.addCleanup(self.daemon.process.stop)
        self.acknowledged = []

    def submit(self, signal=""):
        steps = [pivot_step(self.shop, "go")]
        if signal:
            steps.insert(0, wait_step("hold", FOREVER_MS, signal))
        made = definition("full_disk", *steps)
        number = len(self.acknowledged)
        answer = self.engine.submit(inlineDefinition=made, payload={"json": {"note": PAYLOAD}},
                                    wait="accepted", idempotencyKey=f"full-{number}")
        self.acknowledged.append(answer["sagaId"])
        return answer["sagaId"]

    def submit_until_refused(self):
        for _ in range(SUBMISSIONS_MAX):
            try:
                self.submit()
            except ConnectError as refused:
                return refused
        self.fail("the disk never filled up")

    def fill(self):
        """Somebody else takes every byte that is left."""
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"b" * 4096)
            except OSError:
                pass

    def free(self):
        os.remove(os.path.join(self.disk, "ballast"))

    def grow(self):
        """More room: the same disk, larger."""
        subprocess.run(["mount", "-o", f"remount,size={8 * DISK_BYTES}", self.disk], check=True)

    def expect_every_acknowledged(self):
        for saga_id in self.acknowledged:
            self.engine.get(sagaId=saga_id)
        listed = {saga["sagaId"] for saga in self.engine.list(definition="full_disk")}
        self.assertLessEqual(set(self.acknowledged), listed)

    def test_below_the_reserve_submissions_are_refused_and_open_sagas_finish(self):
        held = self.submit(signal="paid")
        refused = self.submit_until_refused()
        self.assertEqual((refused.status, refused.code), (429, "resource_exhausted"), refused)
        self.assertIn("disk_reserve_bytes", str(refused))
        self.expect_every_acknowledged()
        self.engine.signal("s-1", "paid", {"amount": 5}, sagaId=held)
        self.assertEqual(self.engine.wait(sagaId=held)["status"], "completed")

        self.grow()

        def accepted():
            try:
                return self.submit()
            except ConnectError as still:
                self.assertEqual(still.code, "resource_exhausted")
                return None
        wait_until(accepted, "submissions to be accepted again")
        self.daemon.crash()
        self.expect_every_acknowledged()

    def test_a_disk_without_a_byte_left_ends_writing_and_loses_nothing(self):
        held = self.submit(signal="paid")
        for _ in range(20):
            self.submit()
        self.fill()

        def broken():
            try:
                self.engine.signal("s-1", "paid", {"note": PAYLOAD}, sagaId=held)
                self.engine.signal("s-2", "other", {"note": PAYLOAD}, sagaId=held)
            except (ConnectError, NoAnswer) as error:
                return error
            return self.engine.page("/readyz")[0] != 200
        wait_until(broken, "a write to find no room")
        wait_until(lambda: self.engine.page("/readyz")[0] != 200, "readiness to end")
        self.expect_every_acknowledged()
        with self.assertRaises(ConnectError) as refused:
            self.submit()
        self.assertIn(refused.exception.code, ("unavailable", "resource_exhausted"))

        self.free()
        self.daemon.crash()
        self.expect_every_acknowledged()
        self.engine.signal("s-1", "paid", {"note": PAYLOAD}, sagaId=held)
        for saga_id in self.acknowledged:
            self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed", saga_id)


def may_mount():
    folder = tempfile.mkdtemp(prefix="skald-mount-")
    try:
        if not mount(folder):
            return False
        subprocess.run(["umount", folder], check=True)
        return True
    finally:
        os.rmdir(folder)


if __name__ == "__main__":
    if not may_mount():
        print("skipped: nothing may be mounted here")
        sys.exit(77)
    sys.exit(run_cases([FullDisk], names=sys.argv[1:]))
