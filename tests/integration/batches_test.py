#!/usr/bin/env python3
"""Batches with a real skaldd: one act on many sagas, chosen once, done by the server. Ten thousand
failed orders are replayed in one batch with kill -9 in its middle, exactly once each; pausing,
resuming, ending; nobody is touched who was not chosen.

    batches_test.py [name...]     only tests whose name contains one of the names
"""

import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
from connect import ConnectError, call
from inline import call_step, definition, pivot_step, retriable_step, wait_step
from mall import Daemon, Rows, program
from mall_case import run_cases
from processes import SLOWDOWN, Process, free_port, wait_until

ORDERS = int(10_000 / SLOWDOWN)
PER_CALL = 500
WHY = "stock has come in"
PLENTY = 100_000
AVAILABLE_SKU, SHORT_SKU = 1, 2
FOREVER_MS = 3_600_000


class BatchCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="skald-batch-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = Daemon(self.folder)
        self.daemon.process.start()
        self.addCleanup(self.daemon.process.stop)
        self.engine = self.daemon.engine

    def batch(self, method, **message):
        return call(self.daemon.port, f"/skald.v1.BatchService/{method}", message,
                    timeout=60 * SLOWDOWN)

    def start(self, act, query, **spec):
        return int(self.batch("Start", spec={"act": act, "filter": query, "actor": "ann",
                                             "reason": WHY, **spec})["number"])

    def preview(self, act, query, **spec):
        return self.batch("Preview", act=act, filter=query, **spec)

    def counts(self, number):
        return {count["outcome"]: int(count["sagas"])
                for count in self.batch("Get", number=number).get("counts", [])}

    def ended(self, number, within=60):
        def look():
            batch = self.batch("Get", number=number)
            return batch if batch["stage"] in ("finished", "cancelled") else None
        return wait_until(look, f"batch {number} to end: {self.counts(number)}", within)

    def results(self, number, **query):
        found, token = [], ""
        while True:
            page = self.batch("Results", number=number, limit=1000, pageToken=token, **query)
            found += page.get("results", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def ctl(self, *words, code=0):
        done = subprocess.run([program("skaldctl"), "--server",
                               f"http://127.0.0.1:{self.daemon.port}", "--actor", "ann", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60 * SLOWDOWN, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr


class TenThousand(BatchCase):
    """Orders at the mall's own inventory: a first SKU that there is, a second that is short."""

    def setUp(self):
        super().setUp()
        self.rows = Rows("inventory", free_port())
        inventory = Process("inventory",
                            [program("mall_inventory"), "--listen", f"127.0.0.1:{self.rows.port}",
                             "--data", os.path.join(self.folder, "mall"), "--keys", "barrier"],
                            os.path.join(self.folder, "inventory.log"), self.rows.port)
        inventory.start()
        self.addCleanup(inventory.stop)
        self.rows.seed(stock=[{"skuId": AVAILABLE_SKU, "total": PLENTY},
                              {"skuId": SHORT_SKU, "total": 0}])

    def step(self, name, sku):
        service = f"http://127.0.0.1:{self.rows.port}/inventory.InventoryRpc"
        way = {"protocol": "connect_json", "keys": "barrier", "timeoutMs": 10_000}
        return {"name": name, "payload": {"json": {"skuId": str(sku), "quantity": 1}},
                "action": {"url": f"{service}/DeductStock", **way},
                "compensation": {"url": f"{service}/RollbackStock", **way}}

    def stock(self, sku):
        row = self.rows.call("GetStock", {"sku_id": sku})
        return row.get("available", 0), row.get("locked", 0)

    def place(self, count):
        order = definition("order", self.step("first", AVAILABLE_SKU),
                           self.step("second", SHORT_SKU))
        for begin in range(0, count, PER_CALL):
            items = [{"inlineDefinition": order, "wait": "accepted", "businessKey": f"o-{number}",
                      "idempotencyKey": f"o-{number}"} for number in range(begin, begin + PER_CALL)]
            answers = self.engine.saga_service("SubmitBatch", {"items": items}, timeout=60)["items"]
            self.assertTrue(all("answer" in answer for answer in answers), answers[:3])
        wait_until(lambda: self.count("status = compensated") == count, "the orders to fail", 120)

    def count(self, query):
        return int(self.engine.saga_service("Count", {"filter": query}).get("count", 0))

    def test_each_is_replayed_exactly_once_with_a_crash_in_the_middle(self):
        self.place(ORDERS)
        self.assertEqual(self.stock(AVAILABLE_SKU), (PLENTY, 0))
        self.rows.seed(stock=[{"skuId": SHORT_SKU, "total": PLENTY}])
        failed = "definition = order and status = compensated"
        preview = self.preview("replay", failed)
        self.assertEqual((int(preview["sagas"]), int(preview["actedOn"])), (ORDERS, ORDERS))
        number = self.start("replay", failed, rate=2_000, inFlightMax=500)
        wait_until(lambda: self.counts(number).get("completed", 0) >= ORDERS // 3,
                   "a third to be done")
        self.daemon.crash()
        self.assertGreater(self.counts(number).get("pending", 0), 0, "it died in the middle")
        batch = self.ended(number, 120)
        self.assertEqual((batch["stage"], self.counts(number)), ("finished", {"completed": ORDERS}))
        # Once each: where the stock is, and by the sagas there are.
        self.assertEqual(self.stock(AVAILABLE_SKU), (PLENTY - ORDERS, ORDERS))
        self.assertEqual(self.stock(SHORT_SKU), (PLENTY - ORDERS, ORDERS))
        self.assertEqual(self.count("status = completed"), ORDERS)
        self.assertEqual(self.count("definition = order"), 2 * ORDERS)
        results = self.results(number)
        self.assertEqual(len({result["sagaId"] for result in results}), ORDERS)
        self.assertEqual(len({result["followedSagaId"] for result in results}), ORDERS)
        self.assertEqual({result["outcome"] for result in results}, {"completed"})
        # And not once more: by another batch, whatever it is told.
        again = self.preview("replay", failed)
        self.assertEqual((int(again.get("actedOn", 0)), int(again["skipped"])), (0, ORDERS))


class Shop(BatchCase):
    """Sagas at a participant that does what the test says."""

    def setUp(self):
        super().setUp()
        self.shop = faults.FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def submit(self, name, *steps, count=1):
        made = definition(name, *steps)
        items = [{"inlineDefinition": made, "wait": "accepted"} for _ in range(count)]
        answers = self.engine.saga_service("SubmitBatch", {"items": items})["items"]
        return [answer["answer"]["sagaId"] for answer in answers]

    def wait_status(self, sagas, status):
        for saga_id in sagas:
            wait_until(lambda one=saga_id: self.engine.get(sagaId=one)["status"] == status,
                       f"saga {saga_id} to be {status}")

    def replayed(self, sagas):
        return [saga for saga in sagas if self.engine.get(sagaId=saga).get("replays")]

    def failed(self, name, count):
        """Sagas that the shop refused at their last step."""
        self.shop.on("pay/action", faults.connect_error(409, "failed_precondition"))
        sagas = self.submit(name, call_step(self.shop, "book"), pivot_step(self.shop, "pay"),
                            count=count)
        self.wait_status(sagas, "compensated")
        self.shop.clear()
        return sagas

    def stuck(self, name, count, step="ship"):
        """Sagas whose last step, after the way back is closed, is refused."""
        self.shop.on(f"{step}/action", faults.connect_error(409, "failed_precondition"))
        sagas = self.submit(name, pivot_step(self.shop, "pay"), retriable_step(self.shop, step),
                            count=count)
        self.wait_status(sagas, "stuck")
        return sagas


class Life(Shop):
    def test_it_pauses_survives_a_restart_resumes_and_ends(self):
        sagas = self.failed("trip", 60)
        number = self.start("replay", "definition = trip", rate=20)
        wait_until(lambda: self.counts(number).get("completed", 0) >= 3, "the first to be done")
        paused = self.batch("Pause", number=number, actor="bob", reason="too loud")
        self.assertEqual((paused["stage"], paused["changedBy"]), ("paused", "bob"))
        wait_until(lambda: "following" not in self.counts(number), "those acted on to end")
        begun = self.replayed(sagas)
        self.assertEqual(len(begun), self.counts(number)["completed"])
        self.daemon.crash()  # what the batch counts may lag behind what it has done
        self.assertEqual(self.batch("Get", number=number)["stage"], "paused")
        self.assertEqual(self.replayed(sagas), begun, "nothing is begun while it is paused")
        with self.assertRaises(ConnectError) as error:
            self.batch("Pause", number=number)
        self.assertEqual(error.exception.code, "failed_precondition")
        self.batch("Resume", number=number)
        self.assertEqual(self.ended(number)["stage"], "finished")
        self.assertEqual(self.counts(number), {"completed": 60})
        self.assertEqual({result["sagaId"] for result in self.results(number)}, set(sagas))
        for change in ("Pause", "Resume", "Cancel"):
            with self.assertRaises(ConnectError) as error:
                self.batch(change, number=number)
            self.assertEqual(error.exception.code, "failed_precondition")

    def test_cancelled_it_follows_what_it_began_and_touches_no_more(self):
        sagas = self.failed("trip", 40)
        held = self.shop.on("pay/action", faults.hold_request, times=2)
        number = self.start("replay", "definition = trip", rate=20, inFlightMax=2)
        held.wait_hit()
        wait_until(lambda: self.counts(number).get("following", 0) == 2, "two to be under way")
        self.assertEqual(self.batch("Cancel", number=number, actor="bob")["stage"], "cancelling")
        self.shop.clear()
        self.assertEqual(self.ended(number)["stage"], "cancelled")
        self.assertEqual(self.counts(number), {"completed": 2, "skipped": 38})
        self.assertEqual(len(self.replayed(sagas)), 2)
        skipped = self.results(number, outcome="skipped")
        self.assertEqual(len(skipped), 38)
        self.assertIn("cancelled before its turn", skipped[0]["why"])

    def test_nobody_is_touched_who_was_not_chosen(self):
        """More sagas come to match after the batch began, and some do not match any more."""
        chosen = self.stuck("parcel", 20)
        self.shop.clear()
        number = self.start("retry", "definition = parcel and status = stuck", rate=5)
        later = self.stuck("parcel", 10, step="send")
        self.engine.act("Abandon", sagaId=chosen[-1])
        self.ended(number)
        self.assertEqual(self.counts(number), {"completed": 19, "skipped": 1})
        self.assertEqual({result["sagaId"] for result in self.results(number)}, set(chosen))
        skipped = self.results(number, outcome="skipped")
        self.assertEqual([result["sagaId"] for result in skipped], [chosen[-1]])
        self.assertIn("does not match any more: it is abandoned", skipped[0]["why"])
        for saga in later:
            kinds = [event["kind"] for event in self.engine.history(sagaId=saga)]
            self.assertNotIn("retry_asked", kinds)
            self.assertEqual(self.engine.get(sagaId=saga)["status"], "stuck")

    def test_more_than_was_looked_at_is_refused(self):
        self.failed("trip", 3)
        with self.assertRaises(ConnectError) as error:
            self.batch("Start", sagasMost=2, spec={"act": "replay", "filter": "definition = trip",
                                                   "reason": WHY})
        self.assertEqual(error.exception.code, "aborted")
        self.assertIn("3 sagas match now, 2 did", error.exception.message)

    def test_one_key_makes_one_batch(self):
        self.failed("trip", 3)
        spec = {"act": "replay", "filter": "definition = trip", "reason": WHY}
        first = self.batch("Start", spec=spec, key="k")["number"]
        self.assertEqual(self.batch("Start", spec=spec, key="k")["number"], first)
        with self.assertRaises(ConnectError) as error:
            self.batch("Start", spec={**spec, "again": True}, key="k")
        self.assertEqual(error.exception.code, "already_exists")


class Acts(Shop):
    def test_the_outcome_is_the_sagas_own_and_not_that_it_was_tried(self):
        sagas = self.stuck("parcel", 5)
        number = self.start("retry", "definition = parcel")
        self.ended(number)
        self.assertEqual(self.counts(number), {"stuck": 5}, "it was tried, and mended nothing")
        self.assertIn("ship", self.results(number)[0]["why"])
        self.shop.clear()
        number = self.start("retry", "definition = parcel")
        self.ended(number)
        self.assertEqual(self.counts(number), {"completed": 5})
        retries = [event for event in self.engine.history(sagaId=sagas[0])
                   if event["kind"] == "retry_asked"]
        self.assertEqual(len(retries), 2)
        self.assertIn("batch 1: " + WHY, json.dumps(retries[0]))
        self.assertIn("ann", json.dumps(retries[0]))

    def test_a_cancel_is_followed_until_all_is_undone(self):
        sagas = self.submit("trip", call_step(self.shop, "book"),
                            wait_step("paid", FOREVER_MS, "paid"), pivot_step(self.shop, "pay"),
                            count=5)
        decided = self.submit("other", pivot_step(self.shop, "pay"),
                              wait_step("paid", FOREVER_MS, "paid"), count=1)
        wait_until(lambda: len(self.shop.requests("book/action")) == 5, "every booking")
        wait_until(lambda: self.engine.get(sagaId=decided[0]).get("decided"), "the pivot")
        preview = self.preview("cancel", "status = running")
        self.assertEqual((int(preview["sagas"]), int(preview["actedOn"]), int(preview["refused"])),
                         (6, 5, 1))
        refused = next(one for one in preview["groups"] if one["verdict"] == "refuses")
        self.assertEqual(refused["exampleSagaId"], decided[0])
        self.assertIn("point of no return", refused["why"])
        number = self.start("cancel", "status = running")
        self.ended(number)
        self.assertEqual(self.counts(number), {"compensated": 5, "refused": 1})
        self.assertEqual(len(self.shop.requests("book/compensation")), 5)
        self.assertEqual({one["sagaId"] for one in self.results(number, outcome="compensated")},
                         set(sagas))

    def test_doubts_are_resolved_together(self):
        self.shop.on("pay/action", faults.lose_reply)
        sagas = self.submit("trip", call_step(self.shop, "book"),
                            pivot_step(self.shop, "pay", keys="none"), count=4)
        self.wait_status(sagas, "stuck")
        with self.assertRaises(ConnectError) as error:
            self.batch("Start", spec={"act": "resolve", "filter": "status = stuck",
                                      "answer": "happened"})
        self.assertIn("reason", error.exception.message)
        number = self.start("resolve", "status = stuck", answer="happened")
        self.ended(number)
        self.assertEqual(self.counts(number), {"completed": 4})
        self.assertEqual(len(self.shop.requests("pay/action")), 4, "nothing is sent again")


class CommandLine(Shop):
    def test_preview_begin_watch_and_results(self):
        sagas = self.failed("trip", 12)
        query = "definition = trip and status = compensated"
        told = self.ctl("batch", "replay", "--filter", query, "--dry-run")
        self.assertIn("12 sagas match: 12 would be acted on, 0 skipped, 0 refused", told)
        self.assertIn("there are no batches", self.ctl("batch", "list"))
        self.ctl("batch", "replay", "--filter", query, "--reason", WHY, code=6)  # nobody to ask
        number = self.ctl("batch", "replay", "--filter", query, "--reason", WHY, "--yes", "-o",
                          "name").strip()
        told = self.ctl("batch", "watch", number)
        self.assertIn("12 of 12", told)
        self.assertIn("finished", told)
        found = self.ctl("batch", "results", number, "--outcome", "completed", "-o", "name")
        self.assertEqual(set(found.split()), set(sagas))
        self.assertIn("finished", self.ctl("batch", "list"))
        self.assertIn(WHY, self.ctl("batch", "show", number))
        told = self.ctl("batch", "replay", "--filter", query, "--dry-run")
        self.assertIn("was replayed already", told)

    def test_a_batch_that_mended_nothing_ends_with_7(self):
        self.stuck("parcel", 3)
        told = self.ctl("batch", "retry", "-Q", "definition = parcel", "--yes", "--watch", code=7)
        self.assertIn("3 stuck", told)

    def test_a_batch_is_cancelled_by_its_number(self):
        self.failed("trip", 30)
        number = self.ctl("batch", "replay", "-Q", "definition = trip", "--reason", WHY, "--yes",
                          "--rate", "2", "-o", "name").strip()
        self.assertIn("paused", self.ctl("batch", "pause", number, "--reason", "lunch"))
        self.assertIn("lunch", self.ctl("batch", "show", number))
        self.ctl("batch", "resume", number)
        self.ctl("batch", "cancel", number)
        self.assertEqual(self.ended(int(number))["stage"], "cancelled")

    def test_whoever_closes_the_pipe_ends_the_watching(self):
        self.failed("trip", 20)
        number = self.start("replay", "definition = trip", rate=1)
        watching = subprocess.Popen([program("skaldctl"), "--server",
                                     f"http://127.0.0.1:{self.daemon.port}", "batch", "watch",
                                     str(number)], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertIn(b"running", watching.stderr.readline())
        watching.stderr.close()
        self.assertNotEqual(watching.wait(30 * SLOWDOWN), 0)


def main():
    return run_cases([TenThousand, Life, Acts, CommandLine], names=sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
