"""U4 to US and T2: an effect that happened while its answer was lost, a request that was lost, one
that lands too late."""

import os

from connect import ConnectError
from fault_proxy import (FaultProxy, connect_error, hold_request, lose_reply, lose_request)
from mall import Rows, program
from mall_case import MallCase, both_ways
from processes import Process, free_port, wait_until


class Unknown(MallCase):
    def sent(self, participant, path, ordering, **where):
        return self.proxies[participant].requests(path, saga=self.saga(ordering)["sagaId"], **where)

    def assert_one_key(self, requests, at_least):
        self.assertGreaterEqual(len(requests), at_least, requests)
        self.assertEqual(len({request.key for request in requests}), 1, requests)
        self.assertEqual(len({request.body for request in requests}), 1, "other bytes were sent")
        attempts = [request.attempt for request in requests]
        self.assertEqual(attempts, sorted(set(attempts)), "attempts are numbered")

    @both_ways
    def test_U4_deduct_unknown_is_retried_with_the_same_key(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 2)
        leg = f"deduct_stock[{list(cart)[0]}]"
        self.proxies["inventory"].on("DeductStock", lose_reply, times=3, leg=leg)
        ordering = self.order(definition, cart)
        self.created(ordering)
        self.done(ordering)
        self.assert_one_key(self.sent("inventory", "DeductStock", ordering, leg=leg), 4)
        for sku in cart:
            self.assert_stock(sku, 8, 2)

    def test_U4_without_keys_it_is_parked_in_doubt(self):
        """A participant that ignores keys: never retried, never undone blindly."""
        port = free_port()
        keyless = Process("keyless", [program("mall_inventory"), "--listen", f"127.0.0.1:{port}",
                                      "--data", os.path.join(self.mall.folder, "keyless"),
                                      "--keys", "none"],
                          os.path.join(self.mall.folder, "keyless.log"), port)
        keyless.start()
        self.addCleanup(keyless.stop)
        rows = Rows("inventory", port)
        rows.seed(stock=[{"skuId": 7, "total": 5}])
        proxy = FaultProxy("keyless", port)
        self.addCleanup(proxy.close)
        proxy.on("DeductStock", lose_reply, times=1)
        url = f"http://127.0.0.1:{proxy.port}/inventory.InventoryRpc/"
        definition = {"name": "keyless_deduct", "steps": [
            {"name": "deduct", "action": {"url": url + "DeductStock", "protocol": "connect_json",
                                          "keys": "none"},
             "payload": {"json": {"skuId": 7, "quantity": 2}},
             "compensation": {"url": url + "RollbackStock", "protocol": "connect_json",
                              "keys": "none"}}]}
        saga_id = self.engine.submit(inlineDefinition=definition, wait="accepted")["sagaId"]
        saga = self.saga_when(lambda saga: saga["status"] == "stuck", "the saga in doubt",
                              sagaId=saga_id)
        self.mall.stuck.add(saga_id)
        operation = saga["steps"][0]["legs"][0]["action"]
        self.assertTrue(operation.get("mayHaveHappened"), operation)
        self.assertTrue(saga["explanation"].get("needsPerson"), saga["explanation"])
        with self.assertRaises(ConnectError):
            self.engine.retry(sagaId=saga_id)
        self.crash()
        self.assertEqual(self.engine.get(sagaId=saga_id)["status"], "stuck")
        self.assertEqual(len(proxy.requests()), 1, "sent again, or undone, blindly")
        stock = rows.call("GetStock", {"sku_id": 7})
        self.assertEqual((stock["available"], stock["locked"]), (3, 2), "listed, not oversold")
        self.at_rest()

    def undo_with_deduct_open(self, definition, fault, cart, leg):
        """Orders, lets `fault` keep the deduction open, cancels. The rule and the ordering."""
        rule = self.proxies["inventory"].on("DeductStock", fault, leg=leg, operation="action")
        ordering = self.order(definition, cart)
        rule.wait_hit()
        self.engine.cancel(idempotencyKey=ordering.saga_key, reason="the test asks")
        self.failed(ordering)
        self.assertEqual(self.done(ordering)["status"], "compensated")
        return rule, ordering

    @both_ways
    def test_U4_prime_late_deduct_meets_its_tombstone(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 2)
        leg = f"deduct_stock[{list(cart)[0]}]"
        rule, ordering = self.undo_with_deduct_open(definition, hold_request, cart, leg)
        self.assert_untouched(cart)
        rule.release()
        late = rule.hits[0]
        wait_until(lambda: late.reply_status, "the late request to land")
        self.assertEqual(late.reply_status, 400, "the barrier refuses it")
        self.assert_untouched(cart)
        legs = self.mall.legs("inventory", self.saga(ordering)["sagaId"])
        self.assertEqual(legs[leg], (0, 0))

    @both_ways
    def test_U4_second_empty_rollback_takes_nobodys_lock(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 2)
        sku = list(cart)[0]
        self.created(self.order(definition, cart))
        leg = f"deduct_stock[{sku}]"
        _, ordering = self.undo_with_deduct_open(definition, lose_request, cart, leg)
        self.assert_stock(sku, 8, 2)
        sent = self.sent("inventory", "RollbackStock", ordering)
        self.assertEqual(len(sent), 1, "the empty rollback was sent and succeeded")

    @both_ways
    def test_U5_order_insert_unknown(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        self.proxies["order"].on("CreateOrder", lose_reply, times=2)
        ordering = self.order(definition, cart)
        answer = self.created(ordering)
        self.done(ordering)
        self.assert_one_key(self.sent("order", "CreateOrder", ordering), 3)
        # The number is fixed, so without any key the same order again is a success, too.
        order = self.mall.order(answer.order_id)
        born = order["history"][0].get("to", 0)
        again = {name: order[name] for name in ("orderId", "userId", "items", "totalCents",
                                                "payCents", "address")}
        again["status"] = born
        self.assertTrue(self.mall.rows["order"].call("CreateOrder", again)["success"])
        with self.assertRaises(ConnectError) as refused:
            self.mall.rows["order"].call("CreateOrder", {**again, "address": "elsewhere"})
        self.assertEqual(refused.exception.code, "failed_precondition")

    @both_ways
    def test_U6_coupon_unknown(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user)
        self.proxies["promotion"].on("UseCoupon", lose_reply, times=2)
        ordering = self.order(definition, cart, coupon, user)
        answer = self.created(ordering)
        self.assert_one_key(self.sent("promotion", "UseCoupon", ordering), 3)
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, answer.order_id))

    @both_ways
    def test_UR_rollback_unknown(self, definition):
        enough, short = self.mall.skus(2), self.mall.skus(1, stock=0)
        lost = self.proxies["inventory"].on("RollbackStock", lose_reply, times=3)
        ordering = self.order(definition, dict.fromkeys(enough + short, 2))
        self.failed(ordering)
        self.assertEqual(self.done(ordering)["status"], "compensated")
        self.assertEqual(len(lost.hits), 3)
        for sku in enough:
            sent = self.sent("inventory", "RollbackStock", ordering, leg=f"deduct_stock[{sku}]")
            self.assert_one_key(sent, 1)
        self.assert_untouched(enough)

    @both_ways
    def test_US_status_change_unknown(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user)
        lost = self.proxies["order"].on("ChangeOrderStatus", lose_reply, times=2)
        ordering = self.order(definition, cart, coupon, user)
        number = self.created(ordering).order_id
        self.done(ordering)
        if definition == "create_order":
            self.assert_one_key(self.sent("order", "ChangeOrderStatus", ordering), 3)
        else:
            self.assertEqual(lost.hits, [], "the chain has no such step")
        lost.release()
        lost = self.proxies["order"].on("ChangeOrderStatus", lose_reply, times=2)
        cancelled = self.mall.fronts[definition].cancel(user, number)
        self.assertEqual(cancelled.state, "cancelled", cancelled)
        self.assert_one_key(lost.hits, 2)
        self.mall.wait_rest(stuck=self.mall.stuck)
        order = self.mall.order(number)
        path = [(change.get("from", 0), change.get("to", 0)) for change in order["history"]]
        born = [(-1, 5), (5, 0)] if definition == "create_order" else [(-1, 0)]
        self.assertEqual(path, born + [(0, 4)])
        self.assert_untouched(cart)
        self.assertEqual(self.mall.coupon_record(user, coupon), (0, ""))

    @both_ways
    def test_T2_deadline_answered_but_committed(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user)
        slow = connect_error(504, "deadline_exceeded", forward=True)
        rules = [self.proxies["inventory"].on("DeductStock", slow, times=2),
                 self.proxies["order"].on("CreateOrder", slow, times=1),
                 self.proxies["promotion"].on("UseCoupon", slow, times=1)]
        ordering = self.order(definition, cart, coupon, user)
        answer = self.created(ordering)
        for rule in rules:
            self.assertEqual(rule.left, 0, f"{rule.path} was not tried")
        for sku in cart:
            self.assert_stock(sku, 9, 1)
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, answer.order_id))
