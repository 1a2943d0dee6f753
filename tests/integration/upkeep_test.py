#!/usr/bin/env python3
"""The store's upkeep with a real skaldd: ended sagas are removed when their time is over and no
other ever is; a backup that is taken under load holds whatever was acknowledged before it; the
doctor says what is wrong with which saga.

    upkeep_test.py [name...]     only tests whose name contains one of the names
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from connect import ConnectError, NoAnswer, call
from fault_proxy import FaultProxy, connect_error
from inline import call_step, definition, pivot_step, wait_step
from mall import Daemon, program
from mall_case import run_cases
from processes import wait_until

FOREVER_MS = 3_600_000
CLIENTS = 4
COMMAND_WITHIN_S = 120


def skaldctl(*arguments, server=None):
    command = [program("skaldctl")]
    if server:
        command += ["--server", f"http://127.0.0.1:{server.port}"]
    return subprocess.run(command + list(arguments), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=COMMAND_WITHIN_S, check=False)


class Upkeep(unittest.TestCase):
    flags = ()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="skald-upkeep-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.shop = FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def start(self, name="skaldd", flags=(), data=None):
        daemon = Daemon(self.folder, name=name, flags=flags, data=data)
        daemon.process.start()
        self.addCleanup(daemon.process.stop)
        return daemon

    def submit(self, daemon, name, *steps, wait="accepted", **more):
        made = definition(name, *steps)
        return daemon.engine.submit(inlineDefinition=made, wait=wait, **more)["sagaId"]

    def is_gone(self, daemon, saga_id):
        try:
            daemon.engine.get(sagaId=saga_id)
            return False
        except ConnectError as refused:
            self.assertEqual(refused.code, "not_found")
            return True


class Retention(Upkeep):
    def test_ended_sagas_go_and_no_others(self):
        daemon = self.start(flags=["--retention-completed", "1s", "--retention-compensated", "1s",
                                   "--engine-key-retention", "1s",
                                   "--retention", "kept.completed=forever"])
        go = pivot_step(self.shop, "go")
        completed = self.submit(daemon, "goes", go, wait="done", businessKey="b-1")
        keyed = self.submit(daemon, "goes", go, wait="done", idempotencyKey="key-1")
        kept = self.submit(daemon, "kept", go, wait="done")
        self.shop.on("no/action", connect_error(409, "failed_precondition"))
        undone = self.submit(daemon, "goes", call_step(self.shop, "stock"),
                             pivot_step(self.shop, "no"), wait="done")
        self.assertEqual(daemon.engine.wait(sagaId=undone)["status"], "compensated")
        waiting = self.submit(daemon, "goes", wait_step("paid", FOREVER_MS, "paid"), go)
        self.shop.on("late/action", connect_error(503, "unavailable"))
        running = self.submit(daemon, "goes", pivot_step(self.shop, "late"))

        for saga_id in (completed, keyed, undone):
            wait_until(lambda one=saga_id: self.is_gone(daemon, one), f"saga {saga_id} to go", 60)
        for saga_id in (kept, waiting, running):
            self.assertFalse(self.is_gone(daemon, saga_id), saga_id)
        listed = {saga["sagaId"] for saga in daemon.engine.list()}
        self.assertEqual(listed, {kept, waiting, running})
        # The key is free again, and the store is sound.
        again = self.submit(daemon, "goes", go, wait="done", idempotencyKey="key-1")
        self.assertNotEqual(again, keyed)
        report = skaldctl("doctor", server=daemon)
        self.assertEqual(report.returncode, 0, report.stdout + report.stderr)

    def test_a_saga_stays_as_long_as_its_key(self):
        daemon = self.start(flags=["--retention-completed", "1s"])
        go = pivot_step(self.shop, "go")
        keyed = self.submit(daemon, "goes", go, wait="done", idempotencyKey="key-1")
        keyless = self.submit(daemon, "goes", go, wait="done")
        wait_until(lambda: self.is_gone(daemon, keyless), "the saga without a key to go", 60)
        self.assertFalse(self.is_gone(daemon, keyed))
        self.assertEqual(self.submit(daemon, "goes", go, idempotencyKey="key-1"), keyed)


class Replays(Upkeep):
    def test_a_saga_is_not_replayed_again_when_the_key_of_its_replay_has_expired(self):
        daemon = self.start(flags=["--engine-key-retention", "1s"])
        self.shop.on("no/action", connect_error(409, "failed_precondition"))
        undone = self.submit(daemon, "goes", pivot_step(self.shop, "no"), wait="done")
        self.assertEqual(daemon.engine.wait(sagaId=undone)["status"], "compensated")
        asked = {"sagaId": undone, "actor": "ann", "reason": "once more"}

        def replay(**more):
            return call(daemon.port, "/skald.v1.OperatorService/Replay", {**asked, **more})
        first = replay()["saga"]["sagaId"]
        daemon.engine.wait(sagaId=first)

        def key_is_gone():
            try:
                daemon.engine.get(idempotencyKey=f"replay/{undone}/1")
                return False
            except ConnectError:
                return True
        wait_until(key_is_gone, "the replay's key to expire", 60)
        with self.assertRaises(ConnectError) as refused:
            replay()
        self.assertEqual(refused.exception.code, "already_exists")
        self.assertIn(first, str(refused.exception))
        self.assertEqual(daemon.engine.get(sagaId=undone)["replays"], [first])
        self.assertEqual(len(daemon.engine.list()), 2)
        self.assertNotEqual(replay(number=2)["saga"]["sagaId"], first)


class Backup(Upkeep):
    def test_a_backup_under_load_holds_what_was_acknowledged_before(self):
        daemon = self.start()
        go = pivot_step(self.shop, "go")
        acknowledged, stop = [], threading.Event()

        def client(number):
            for count in range(100_000):
                if stop.is_set():
                    return
                try:
                    acknowledged.append(self.submit(daemon, "loaded", go,
                                                    idempotencyKey=f"load-{number}-{count}"))
                except NoAnswer:
                    return

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(acknowledged) > 200, "two hundred acknowledged submissions")
            waiting = self.submit(daemon, "open", wait_step("paid", FOREVER_MS, "paid"), go)
            before = list(acknowledged)
            copy = os.path.join(self.folder, "copy")
            made = skaldctl("backup", copy, server=daemon)
            self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
            self.assertIn("wrong=0", made.stdout)
            after = len(acknowledged)
            wait_until(lambda: len(acknowledged) > after, "submissions to go on")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        again = skaldctl("backup", copy, server=daemon)
        self.assertEqual(again.returncode, 5, again.stderr)
        daemon.process.kill()

        place = os.path.join(self.folder, "restored")
        restored = skaldctl("restore", copy, place)
        self.assertEqual(restored.returncode, 0, restored.stdout + restored.stderr)
        second = self.start(name="second", data=place)
        for saga_id in before:
            self.assertEqual(second.engine.wait(sagaId=saga_id)["status"], "completed")
        second.engine.signal("s-1", "paid", {}, sagaId=waiting)
        self.assertEqual(second.engine.wait(sagaId=waiting)["status"], "completed")
        print(f"  {len(before)} sagas acknowledged before the backup, all in it")


class Doctor(Upkeep):
    def test_the_doctor_offline_and_online(self):
        daemon = self.start()
        done = self.submit(daemon, "checked", pivot_step(self.shop, "go"), wait="done")
        online = skaldctl("doctor", server=daemon)
        self.assertEqual(online.returncode, 0, online.stdout + online.stderr)
        self.assertIn("sagas=1 ", online.stdout)
        self.assertIn("wrong=0", online.stdout)
        in_use = skaldctl("doctor", "--data", daemon.data)
        self.assertEqual(in_use.returncode, 1, in_use.stdout)
        self.assertIn(f"in use by process {daemon.process.pid}", in_use.stderr)
        daemon.process.stop()
        offline = skaldctl("doctor", "--data", daemon.data)
        self.assertEqual(offline.returncode, 0, offline.stdout + offline.stderr)
        self.assertIn("sagas=1 ", offline.stdout)
        nothing = skaldctl("doctor", "--data", os.path.join(self.folder, "nothing"))
        self.assertEqual(nothing.returncode, 1, nothing.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nothing")))
        self.assertTrue(done)

    def test_damage_is_told_with_its_file(self):
        daemon = self.start()
        self.submit(daemon, "damaged", pivot_step(self.shop, "go"), wait="done")
        daemon.process.kill()  # a clean stop leaves nothing in the log
        logs = sorted(glob.glob(os.path.join(daemon.data, "*.log")))
        with open(logs[0], "r+b") as log:
            log.seek(20)
            byte = log.read(1)
            log.seek(20)
            log.write(bytes([byte[0] ^ 1]))
        offline = skaldctl("doctor", "--data", daemon.data)
        self.assertEqual(offline.returncode, 1, offline.stdout)
        self.assertIn(os.path.basename(logs[0]), offline.stderr)


if __name__ == "__main__":
    sys.exit(run_cases([Retention, Replays, Backup, Doctor], names=sys.argv[1:]))
