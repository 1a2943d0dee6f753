"""C1 to C9: skaldd is killed with -9 at the named point of an order, which a held answer pins down,
and the restart finishes or undoes exactly what was begun."""

import random

from connect import NoAnswer, OrderFront
from fault_proxy import FaultProxy, hold_reply, lose_reply, silence
from mall_case import MallCase, both_ways
from processes import pause, wait_until

class Crash(MallCase):
    def crash_after(self, participant, path, **where):
        """A rule whose first request takes effect and is never answered."""
        return self.proxies[participant].on(path, hold_reply, times=1, **where)

    def crash_before(self, participant, path):
        """A rule whose first request never arrives."""
        return self.proxies[participant].on(path, silence, times=1)

    def kill_at(self, rule, effect=True):
        (rule.wait_forwarded if effect else rule.wait_hit)()
        self.mall.daemon.process.kill()
        rule.release()
        self.mall.daemon.process.restart()

    def assert_ordered(self, ordering, skus, stock=10):
        answer = self.created(ordering)
        self.assertEqual(self.done(ordering)["status"], "completed")
        order = self.mall.order(answer.order_id)
        self.assertEqual(order.get("status", 0), 0)
        self.assertEqual({int(item["skuId"]): item["quantity"] for item in order["items"]}, skus)
        for sku, quantity in skus.items():
            self.assert_stock(sku, stock - quantity, quantity)
        self.assertEqual(self.mall.cart(ordering.user), {})
        return order

    @both_ways
    def test_C1_crash_after_some_deductions(self, definition):
        cart = dict.fromkeys(self.mall.skus(3), 2)
        second = list(cart)[1]
        rule = self.crash_after("inventory", "DeductStock", leg=f"deduct_stock[{second}]")
        ordering = self.order(definition, cart)
        self.kill_at(rule)
        self.assert_ordered(ordering, cart)

    @both_ways
    def test_C2_crash_after_all_deductions(self, definition):
        cart = dict.fromkeys(self.mall.skus(3), 1)
        rule = (self.crash_before("order", "CreateOrder") if definition == "create_order_chain"
                else self.crash_before("order", "ChangeOrderStatus"))
        ordering = self.order(definition, cart)
        rule.wait_hit()
        for sku in cart:
            self.assert_stock(sku, 9, 1)
        self.kill_at(rule, effect=False)
        self.assert_ordered(ordering, cart)

    @both_ways
    def test_C3_crash_at_the_order_row(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 1)
        rule = self.crash_after("order", "CreateOrder")
        ordering = self.order(definition, cart)
        rule.wait_forwarded()
        self.mall.participants["order"].kill()
        self.mall.participants["order"].restart()
        self.kill_at(rule)
        self.assert_ordered(ordering, cart)

    @both_ways
    def test_C4_crash_of_the_order_service_while_it_writes(self, definition):
        cart = dict.fromkeys(self.mall.skus(5), 1)
        orders = self.mall.participants["order"]
        lost = self.proxies["order"].on("CreateOrder", lose_reply, times=2)
        ordering = self.order(definition, cart)
        for count in (1, 2):
            lost.wait_hit(count)
            pause(random.random() / 200)
            orders.kill()
            orders.restart()
            for order in self.mall.rows["order"].dump().get("orders", []):
                if int(order["userId"]) == ordering.user:
                    self.assertEqual(len(order["items"]), 5, "an order without all its items")
        self.assert_ordered(ordering, cart)

    @both_ways
    def test_C5_crash_before_the_coupon_is_used(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user)
        rule = self.crash_before("promotion", "UseCoupon")
        ordering = self.order(definition, cart, coupon, user)
        rule.wait_hit()
        self.assertEqual(self.mall.coupon_record(user, coupon), (0, ""))
        self.kill_at(rule, effect=False)
        order = self.assert_ordered(ordering, cart)
        self.assertEqual(int(order["payCents"]), 2_000 - 300)
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, order["orderId"]))

    @both_ways
    def test_C6_crash_before_the_cart_is_cleared(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 1)
        rule = self.crash_before("cart", "ClearCartItems")
        ordering = self.order(definition, cart)
        rule.wait_hit()
        self.assertEqual(self.mall.cart(ordering.user), cart)
        self.kill_at(rule, effect=False)
        order = self.assert_ordered(ordering, cart)
        again = ordering.front.create(ordering.user, list(cart), ordering.key)
        self.assertEqual((again.state, again.order_id), ("created", order["orderId"]))

    @both_ways
    def test_C7_reply_lost_after_the_last_step(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user = self.mall.user(cart)
        front = self.mall.fronts[definition]
        deaf = FaultProxy("client", front.port)
        self.addCleanup(deaf.close)
        deaf.on("/create", lose_reply, times=1)
        with self.assertRaises(NoAnswer):
            OrderFront(deaf.port).create(user, list(cart), "once")
        self.crash()
        first = wait_until(lambda: self.created_or_none(front, user, cart), "the stored result")
        self.mall.front_processes[definition].kill()
        self.mall.front_processes[definition].restart()
        self.crash()
        again = wait_until(lambda: self.created_or_none(front, user, cart), "the same result")
        self.assertEqual(first.order_id, again.order_id)
        self.assertEqual(first.data, again.data)
        self.assert_stock(list(cart)[0], 9, 1)

    @staticmethod
    def created_or_none(front, user, cart):
        try:
            answer = front.create(user, list(cart), "once")
        except NoAnswer:
            return None
        return answer if answer.state == "created" and "pay_cents" in answer.data else None

    @both_ways
    def test_C8_crash_during_the_rollback_twice(self, definition):
        enough, short = self.mall.skus(3), self.mall.skus(1, stock=0)
        cart = dict.fromkeys(enough + short, 2)
        first = self.crash_after("inventory", "RollbackStock",
                                 leg=f"deduct_stock[{enough[0]}]")
        second = self.crash_after("inventory", "RollbackStock",
                                  leg=f"deduct_stock[{enough[1]}]")
        ordering = self.order(definition, cart)
        self.kill_at(first)
        self.kill_at(second)
        self.failed(ordering)
        self.assertEqual(self.done(ordering)["status"], "compensated")
        self.assert_untouched(enough)
        legs = self.mall.legs("inventory", self.saga(ordering)["sagaId"])
        for sku in enough:
            self.assertEqual(legs[f"deduct_stock[{sku}]"], (1, 1))

    @both_ways
    def test_C9_crash_after_every_effect_before_its_record(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 3)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user)
        effects = [("order", "CreateOrder"), ("inventory", "DeductStock"),
                   ("promotion", "UseCoupon"), ("order", "ChangeOrderStatus"),
                   ("cart", "ClearCartItems")]
        if definition == "create_order_chain":
            effects = [effects[1], effects[0], effects[2], effects[4]]
        rules = [self.crash_after(*effect) for effect in effects]
        ordering = self.order(definition, cart, coupon, user)
        for rule in rules:
            self.kill_at(rule)
        order = self.assert_ordered(ordering, cart)
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, order["orderId"]))
        for participant, path in effects:
            sent = [request for request in self.proxies[participant].requests(path)
                    if request.saga == self.saga(ordering)["sagaId"]]
            self.assertGreaterEqual(len(sent), 2, path)
            self.assertEqual(len({request.key for request in sent}), 1, sent)
            self.assertEqual(len({request.body for request in sent}), 1, "other bytes were sent")
