#!/usr/bin/env python3
"""Failed sagas done again, with real processes: an order that fails for want of stock and is
replayed when there is some, exactly once; what may not be replayed; exports, and what they would do
under another version.

    replay_test.py [name...]
"""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
from connect import ConnectError, NoAnswer, call
from inline import call_step, definition, pivot_step
from mall import program
from mall_case import MallCase, both_ways, run_on_mall
from processes import wait_until

WHY = "stock has come in"


def one_line(text):
    return " ".join(text.split())


class ReplayCase(MallCase):
    def ctl(self, *words, code=0):
        done = subprocess.run([program("skaldctl"), "--server",
                               f"http://127.0.0.1:{self.mall.daemon.port}", "--actor", "ann",
                               *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + (done.stderr if code else "")

    def replay(self, saga_id, **more):
        return call(self.mall.daemon.port, "/skald.v1.OperatorService/Replay",
                    {"sagaId": saga_id, "actor": "ann", "reason": WHY, **more})

    def short_order(self, definition):
        """An order of three SKUs that failed, because the third was short: (saga, SKUs)."""
        skus = self.mall.skus(2) + self.mall.skus(1, stock=1)
        ordering = self.order(definition, dict(zip(skus, (1, 1, 2))))
        self.failed(ordering)
        saga = self.done(ordering)
        self.assertEqual(saga["status"], "compensated")
        return saga["sagaId"], skus

    def restock(self, sku, total=10):
        self.mall.rows["inventory"].seed(stock=[{"skuId": sku, "total": total}])
        self.mall.seeded[sku] = total


class Orders(ReplayCase):
    @both_ways
    def test_a_failed_order_is_done_again_exactly_once(self, definition):
        old, skus = self.short_order(definition)
        self.restock(skus[2])
        new = self.replay(old)
        self.assertTrue(new["saga"]["created"])
        new_id = new["saga"]["sagaId"]
        self.assertEqual(self.engine.wait(sagaId=new_id)["status"], "completed")
        again = self.replay(old)["saga"]
        self.assertEqual((again["sagaId"], again.get("created", False)), (new_id, False))
        for sku, ordered in zip(skus, (1, 1, 2)):
            self.assert_stock(sku, 10 - ordered, ordered)
        shown = self.engine.get(sagaId=new_id)
        self.assertEqual((shown["replayOf"], shown["replay"]["reason"]), (old, WHY))
        self.assertEqual(self.engine.get(sagaId=old)["replays"], [new_id])
        self.assertIn(f"It was replayed as saga {new_id}", one_line(self.ctl("explain", old)))
        self.assertIn(f"It replays saga {old}", one_line(self.ctl("show", new_id)))
        self.assertIn("asked by ann", self.ctl("history", new_id))

    @both_ways
    def test_with_other_arguments_it_is_refused_and_names_the_replay(self, definition):
        old, skus = self.short_order(definition)
        self.restock(skus[2])
        new_id = self.replay(old)["saga"]["sagaId"]
        with self.assertRaises(ConnectError) as error:
            self.replay(old, inputPatch={"sku_ids": [str(skus[0])]})
        self.assertEqual(error.exception.code, "already_exists")
        self.assertIn(new_id, error.exception.message)

    @both_ways
    def test_a_patched_input_orders_what_there_is(self, definition):
        old, skus = self.short_order(definition)
        with self.assertRaises(ConnectError) as error:
            self.replay(old, inputPatch={"coupon_id": -1})
        self.assertIn("input_patch", error.exception.message)
        patch = json.dumps({"sku_ids": [str(sku) for sku in skus[:2]]})
        shown = self.ctl("replay", old, "--input", patch, "--dry-run")
        self.assertIn(f"deduct_stock[{skus[0]}]  inventory", shown)
        self.assertNotIn(f"deduct_stock[{skus[2]}]  inventory", shown)
        self.assertNotIn("replays", self.engine.get(sagaId=old), "a dry run does nothing")
        new_id = self.ctl("replay", old, "--input", patch, "--reason", WHY, "-o", "name").strip()
        self.assertEqual(self.engine.wait(sagaId=new_id)["status"], "completed")
        self.assert_untouched(skus[2:], stock=1)

    @both_ways
    def test_from_a_step_the_queries_before_it_are_not_asked_again(self, definition):
        old, skus = self.short_order(definition)
        self.restock(skus[2])
        before = self.mall.proxies["cart"].requests("GetCartItems")
        new_id = self.ctl("replay", old, "--from", "deduct_stock", "--reason", WHY, "-o",
                          "name").strip()
        self.assertEqual(self.engine.wait(sagaId=new_id)["status"], "completed")
        self.assertEqual(self.mall.proxies["cart"].requests("GetCartItems"), before)
        kinds = [event["kind"] for event in self.engine.history(sagaId=new_id)]
        self.assertIn("step_kept", kinds)

    @both_ways
    def test_a_crash_between_leaves_one_replay(self, definition):
        """The engine dies while the replay is asked for and while it runs."""
        old, skus = self.short_order(definition)
        self.restock(skus[2])
        self.mall.proxies["inventory"].on("DeductStock", faults.hold_request, times=1)
        first = self.replay(old)["saga"]["sagaId"]
        self.crash()

        def asked_again():
            try:
                return self.replay(old)["saga"]["sagaId"]
            except NoAnswer:
                return None
        self.assertEqual(wait_until(asked_again, "the engine to be back"), first)
        self.mall.clear_faults()
        self.assertEqual(self.engine.wait(sagaId=first)["status"], "completed")
        for sku, ordered in zip(skus, (1, 1, 2)):
            self.assert_stock(sku, 10 - ordered, ordered)

    def test_a_failed_replay_is_replayed_once_more_when_it_is_meant(self):
        old, skus = self.short_order("create_order")
        first = self.replay(old)["saga"]["sagaId"]  # the stock is still short
        self.assertEqual(self.engine.wait(sagaId=first)["status"], "compensated")
        self.restock(skus[2])
        with self.assertRaises(ConnectError) as error:
            self.replay(old, number=3)
        self.assertIn("the next is 2", error.exception.message)
        self.ctl("replay", old, "--again", "--reason", WHY, code=6)  # nobody is there to be asked
        second = self.ctl("replay", old, "--again", "--yes", "--reason", WHY, "-o", "name").strip()
        self.assertEqual(self.engine.wait(sagaId=second)["status"], "completed")
        self.assertEqual(self.replay(old, number=2)["saga"]["sagaId"], second)
        self.assertEqual(self.engine.get(sagaId=old)["replays"], [first, second])
        self.at_rest()


class Refusals(ReplayCase):
    def setUp(self):
        super().setUp()
        self.shop = faults.FaultProxy("shop")
        self.addCleanup(self.shop.close)

    def refused(self, saga_id, word, **more):
        with self.assertRaises(ConnectError) as error:
            self.replay(saga_id, **more)
        self.assertIn(word, error.exception.message)
        self.assertEqual(error.exception.code, "failed_precondition")

    def submit(self, *steps):
        return self.engine.submit(inlineDefinition=definition("again", *steps),
                                  wait="accepted")["sagaId"]

    def test_a_saga_in_doubt_is_not_done_twice(self):
        self.shop.on("pay/action", faults.lose_reply, times=1)
        saga_id = self.submit(call_step(self.shop, "book"),
                              call_step(self.shop, "pay", keys="none"))
        self.saga_when(lambda saga: saga["status"] == "stuck", "the doubt", sagaId=saga_id)
        self.refused(saga_id, "can still move")
        self.engine.act("Abandon", sagaId=saga_id)
        self.refused(saga_id, "is applied")
        self.ctl("replay", saga_id, "--reason", WHY, code=5)

    def test_what_is_completed_has_not_failed(self):
        saga_id = self.submit(call_step(self.shop, "book"), pivot_step(self.shop, "end"))
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "completed")
        self.refused(saga_id, "is completed")

    def test_an_inline_definition_is_replayed_with_itself(self):
        self.shop.on("pay/action", faults.connect_error(400, "failed_precondition"), times=1)
        saga_id = self.submit(call_step(self.shop, "book"), call_step(self.shop, "pay"))
        self.assertEqual(self.engine.wait(sagaId=saga_id)["status"], "compensated")
        new_id = self.replay(saga_id)["saga"]["sagaId"]
        self.assertEqual(self.engine.wait(sagaId=new_id)["status"], "completed")
        keys = [request.key for request in self.shop.requests("book/action")]
        self.assertEqual(len(set(keys)), 2, "every effect runs under the new saga's keys")


class Exports(ReplayCase):
    def exported(self, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
            file.write(self.ctl("export", *words))
        self.addCleanup(os.unlink, file.name)
        return file.name

    def test_an_export_does_what_it_did(self):
        old, _ = self.short_order("create_order")
        ordering = self.order("create_order", dict.fromkeys(self.mall.skus(2), 1))
        self.created(ordering)
        done = self.done(ordering)["sagaId"]
        told = self.ctl("import", self.exported(old, done), "--simulate")
        self.assertEqual(told.count("the same"), 2, told)

    def test_a_divergence_is_shown_with_both_requests(self):
        ordering = self.order("create_order", dict.fromkeys(self.mall.skus(1), 1))
        self.created(ordering)
        saga = json.loads(self.ctl("export", self.done(ordering)["sagaId"]))
        write = next(s for s in saga["saga"]["steps"] if s["name"] == "write_order")
        write["legs"][0]["request"]["address"] = "elsewhere"
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps(saga) + "\n")
            file.flush()
            told = self.ctl("import", file.name, "--simulate", code=7)
        self.assertIn("write_order has another request", told)
        self.assertIn("elsewhere", told)

    def test_a_redacted_export_tells_nothing_of_the_customer(self):
        old, _ = self.short_order("create_order")
        saga = self.engine.get(sagaId=old)
        path = self.exported("--redact", "--business-key", saga["businessKey"])
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn(saga["businessKey"], text)
        self.assertIn("redacted string, ", text)
        self.assertIn("is redacted", self.ctl("import", path, "--simulate", code=2))


def main():
    return run_on_mall([Orders, Refusals, Exports], sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
