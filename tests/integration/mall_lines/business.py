"""B3a to BQ: the business says no, at each place where it can."""

import threading

from connect import ConnectError
from fault_proxy import connect_error, hold_reply
from mall_case import MallCase, both_ways
from processes import wait_until

PAST_MS = 1_577_836_800_000  # 2020
WRONG_ORDERS = [
    ({"sku_ids": [7, 7]}, "sku_ids"),
    ({"sku_ids": []}, "sku_ids"),
    ({"sku_ids": [0]}, "sku_ids[0]"),
    ({"sku_ids": [-3]}, "sku_ids[0]"),
    ({"sku_ids": ["7"]}, "sku_ids[0]"),
    ({"sku_ids": [2**63]}, "sku_ids[0]"),
    ({"sku_ids": list(range(1, 202))}, "sku_ids"),
    ({"user_id": 0}, "user_id"),
    ({"user_id": 2**64}, "user_id"),
    ({"coupon_id": -1}, "coupon_id"),
    ({"address": ""}, "address"),
    ({"adress": "misspelt"}, "adress"),
]
WRONG_INPUTS = [
    ({"userId": 1, "skuIds": [7, 7]}, "sku_ids"),
    ({"userId": 1, "skuIds": []}, "sku_ids"),
    ({"userId": 0, "skuIds": [7]}, "user_id"),
    ({"userId": 1, "skuIds": [7], "couponId": -1}, "coupon_id"),
    ({"userId": 1, "skuIds": list(range(1, 202))}, "sku_ids"),
    ({"userId": "99999999999999999999", "skuIds": [7]}, "user_id"),
]


class Business(MallCase):
    def refused(self, definition, cart, coupon, user, reason):
        ordering = self.order(definition, cart, coupon, user)
        answer = self.failed(ordering)
        self.assertEqual(answer.status, 422)
        self.assertIn(reason, answer.data["reason"]["message"])
        self.assertEqual(self.done(ordering)["status"], "compensated")
        self.assert_untouched(cart)
        self.assertEqual(self.mall.cart(user), cart)
        return answer

    @both_ways
    def test_B3a_coupon_refused(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user, type=1, thresholdCents=10_000_000)
        self.refused(definition, cart, coupon, user, "below_threshold")
        self.assertEqual(self.mall.coupon_record(user, coupon), (0, ""))

    @both_ways
    def test_B3b_coupon_of_another_expired_used(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user = self.mall.user(cart)
        of_another = self.mall.coupon(self.mall.user())
        self.refused(definition, cart, of_another, user, "not_owner")
        self.refused(definition, cart, self.mall.coupon(user, status=2), user, "expired")
        ended = self.mall.coupon(user, endMs=PAST_MS)
        self.refused(definition, cart, ended, user, "expired")
        used = self.mall.coupon(user)
        other = dict.fromkeys(self.mall.skus(1), 1)
        self.mall.put_in_cart(user, other)
        first = self.order(definition, other, used, user)
        self.created(first)
        self.done(first)
        self.refused(definition, cart, used, user, "already_used")

    @both_ways
    def test_B3c_discount_larger_than_the_total(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user = self.mall.user(cart)
        coupon = self.mall.coupon(user, discount=1_001)
        self.refused(definition, cart, coupon, user, "discount_exceeds_total")

    @both_ways
    def test_B4_short_of_stock_reports_every_short_sku(self, definition):
        enough, short = self.mall.skus(2), self.mall.skus(2, stock=1)
        cart = dict.fromkeys([enough[0], short[0], enough[1], short[1]], 3)
        ordering = self.order(definition, cart)
        answer = self.failed(ordering)
        told = sorted((sku["sku_id"], sku["available"], sku["wanted"])
                      for sku in answer.data["short_skus"])
        if len(told) < 2:  # the caller may hear of the decision before the last leg has answered
            self.done(ordering)
            again = ordering.front.create(ordering.user, list(cart), ordering.key)
            told = sorted((sku["sku_id"], sku["available"], sku["wanted"])
                          for sku in again.data["short_skus"])
        self.assertEqual(told, sorted((sku, 1, 3) for sku in short))
        self.assertEqual(self.done(ordering)["status"], "compensated")
        self.assert_untouched(enough)
        self.assert_untouched(short, stock=1)

    @both_ways
    def test_B4_prime_lost_version_race_is_retried(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 2)
        leg = f"deduct_stock[{list(cart)[0]}]"
        race = self.proxies["inventory"].on("DeductStock", connect_error(409, "aborted"), times=3,
                                            leg=leg)
        ordering = self.order(definition, cart)
        self.created(ordering)
        self.assertEqual(race.left, 0)
        sent = self.proxies["inventory"].requests("DeductStock", leg=leg)
        gaps = [round(b.at - a.at, 4) for a, b in zip(sent, sent[1:])]
        self.assertEqual(len(set(gaps)), len(gaps), "no jitter between the attempts")
        self.assert_stock(list(cart)[0], 8, 2)
        with self.assertRaises(ConnectError) as lost:
            self.mall.rows["inventory"].call("DeductStock", {
                "sku_id": list(cart)[0], "quantity": 1, "expected_version": 0})
        self.assertEqual(lost.exception.code, "aborted")

    @both_ways
    def test_B5_order_write_fails(self, definition):
        """The way back is the engine's: the caller is long gone, and skaldd is killed in it."""
        cart = dict.fromkeys(self.mall.skus(2), 2)
        self.proxies["order"].on(
            "CreateOrder", connect_error(400, "failed_precondition", "no more orders"), times=1)
        undo = self.proxies["inventory"].on("RollbackStock", hold_reply, times=1)
        ordering = self.order(definition, cart)
        if definition == "create_order_chain":  # the other one has deducted nothing yet
            undo.wait_forwarded()
            self.mall.daemon.process.kill()
            undo.release()
            self.mall.daemon.process.restart()
        self.failed(ordering)
        saga = self.done(ordering)
        self.assertEqual(saga["status"], "compensated")
        self.assertEqual(saga["failure"]["leg"], "write_order")
        self.assert_untouched(cart)

    @both_ways
    def test_B6_coupon_lost_at_the_pivot(self, definition):
        skus = self.mall.skus(2)
        user = self.mall.user(dict.fromkeys(skus, 1))
        coupon = self.mall.coupon(user)
        at_pivot = threading.Event()

        def late(exchange):
            at_pivot.wait(30)
            exchange.reply(exchange.forward())

        held = self.proxies["promotion"].on("UseCoupon", late, times=1)
        loser = self.order(definition, [skus[0]], coupon, user)
        held.wait_hit()
        winner = self.order(definition, [skus[1]], coupon, user)
        won = self.created(winner)
        at_pivot.set()
        lost = self.failed(loser)
        self.assertEqual(self.done(loser)["status"], "compensated")
        self.assertEqual(lost.data["reason"]["leg"], "use_coupon")
        self.assert_untouched([skus[0]])
        self.assert_stock(skus[1], 9, 1)
        self.assertEqual(self.mall.order(lost.order_id)["status"], 6)
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, won.order_id))

    @both_ways
    def test_B7_clear_fails_and_never_fails_the_order(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        failing = self.proxies["cart"].on("ClearCartItems", connect_error(500, "internal"))
        ordering = self.order(definition, cart)
        failing.wait_hit(2)
        order_id = self.created(ordering).order_id
        self.assertEqual(self.mall.order(order_id).get("status", 0), 0)
        self.assertEqual(self.mall.cart(ordering.user), cart)
        self.mall.participants["cart"].kill()
        failing.release()
        self.mall.participants["cart"].restart()
        self.assertEqual(self.done(ordering)["status"], "completed")
        self.assertEqual(self.mall.cart(ordering.user), {})

    @both_ways
    def test_BR_rollback_refused_is_stuck_and_does_not_loop(self, definition):
        enough, short = self.mall.skus(2), self.mall.skus(1, stock=0)
        leg = f"deduct_stock[{enough[0]}]"
        self.proxies["inventory"].on("RollbackStock", connect_error(400, "failed_precondition"),
                                     times=1, leg=leg)
        ordering = self.order(definition, dict.fromkeys(enough + short, 2))
        self.failed(ordering)
        saga = self.saga_when(lambda saga: saga["status"] == "stuck", "the refused rollback",
                              idempotencyKey=ordering.saga_key)
        self.assertIn(leg, " ".join(saga["explanation"]["needsPerson"]))
        self.crash()
        self.assertEqual(self.saga(ordering)["status"], "stuck")
        # The other leg is undone all the same, and the refused one was asked once.
        wait_until(lambda: self.mall.stock(enough[1]) == (10, 0), "the other leg's rollback")
        sent = self.proxies["inventory"].requests("RollbackStock", leg=leg)
        self.assertEqual(len(sent), 1, sent)
        self.engine.retry(idempotencyKey=ordering.saga_key, leg=leg, reason="the refusal was wrong")
        self.assertEqual(self.done(ordering)["status"], "compensated")
        sent = self.proxies["inventory"].requests("RollbackStock", leg=leg)
        self.assertTrue(sent[-1].key.strip('"').endswith("/g2"), sent)
        self.assert_untouched(enough)

    def test_BQ_wrong_quantities_and_ids_are_refused_at_admission(self):
        sagas = len(self.engine.list())
        for definition, front in self.mall.fronts.items():
            for wrong, field in WRONG_ORDERS:
                with self.subTest(front=definition, wrong=str(wrong)[:60]):
                    body = {"user_id": 1, "sku_ids": [7], "key": "bq", **wrong}
                    answer = front.create(**body)
                    self.assertEqual(answer.status, 400, answer)
                    self.assertIn(field, answer.msg)
            for wrong, field in WRONG_INPUTS:
                with self.subTest(engine=definition, wrong=str(wrong)[:60]):
                    with self.assertRaises(ConnectError) as refused:
                        self.engine.submit(definition, wrong, businessKey="SN1")
                    self.assertEqual(refused.exception.code, "invalid_argument")
                    self.assertIn(field, refused.exception.message)
        self.assertEqual(len(self.engine.list()), sagas, "something was started")
        inventory, sku = self.mall.rows["inventory"], self.mall.skus(1)[0]
        for quantity in (0, -1):
            for method in ("DeductStock", "RollbackStock"):
                with self.assertRaises(ConnectError) as refused:
                    inventory.call(method, {"sku_id": sku, "quantity": quantity})
                self.assertEqual(refused.exception.code, "invalid_argument")
        with self.assertRaises(ConnectError):
            self.mall.rows["cart"].call("SetCartItem", {"user_id": 1, "item": {
                "sku_id": sku, "quantity": 0, "price_cents": 1}})
        self.at_rest()

    @both_ways
    def test_BQ_total_that_overflows(self, definition):
        price = 900_000_000_000
        cart = dict.fromkeys(self.mall.skus(2, price=price), 1)
        ordering = self.order(definition, cart, price=price)
        self.failed(ordering)
        self.assertEqual(self.done(ordering)["status"], "compensated")
        self.assert_untouched(cart)
