"""D1 to D15 and T1: two things at once, and steps slower than the caller."""

import re
import threading
import time

from fault_proxy import delayed, hold_request
from mall_case import MallCase, both_ways
from processes import wait_until

SAME_TIME = 32
STEP_TAKES_S = 0.7


def all_at_once(count, work):
    """The answers of work(0), work(1), ... started together."""
    gate, answers = threading.Barrier(count), [None] * count

    def run(index):
        gate.wait()
        answers[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Races(MallCase):
    @both_ways
    def test_D1_D2_double_submit(self, definition):
        cart = dict.fromkeys(self.mall.skus(1), 1)
        user, front = self.mall.user(cart), self.mall.fronts[definition]
        answers = all_at_once(SAME_TIME, lambda _: front.create(user, list(cart), "same"))
        self.assertEqual({answer.state for answer in answers}, {"created"}, answers)
        self.assertEqual(len({answer.order_id for answer in answers}), 1)
        other = front.create(user, list(cart), "same", address="another house")
        self.assertEqual(other.status, 409, other)
        self.assert_stock(list(cart)[0], 9, 1)

    @both_ways
    def test_D3_orders_of_one_second_have_distinct_numbers(self, definition):
        sku = self.mall.skus(1, stock=SAME_TIME)[0]
        users = [self.mall.user({sku: 1}) for _ in range(SAME_TIME)]
        front = self.mall.fronts[definition]
        answers = all_at_once(SAME_TIME, lambda i: front.create(users[i], [sku], "first"))
        numbers = {answer.order_id for answer in answers}
        self.assertEqual(len(numbers), SAME_TIME, answers)
        for number in numbers:
            self.assertRegex(number, re.compile(r"^SN\d{19}$"))
        self.mall.wait_rest(stuck=self.mall.stuck)
        self.assert_stock(sku, 0, SAME_TIME)

    def test_D3_orders_of_one_second_at_two_fronts_have_distinct_numbers(self):
        fronts = list(self.mall.fronts.values())
        self.assertEqual(len({front.port for front in fronts}), 2, "two processes")
        sku = self.mall.skus(1, stock=SAME_TIME)[0]
        users = [self.mall.user({sku: 1}) for _ in range(SAME_TIME)]
        answers = all_at_once(SAME_TIME, lambda i: fronts[i % 2].create(users[i], [sku], "first"))
        self.assertEqual(len({answer.order_id for answer in answers}), SAME_TIME, answers)
        self.mall.wait_rest(stuck=self.mall.stuck)
        self.assert_stock(sku, 0, SAME_TIME)

    @both_ways
    def test_D4_one_coupon_two_orders(self, definition):
        skus = self.mall.skus(2)
        user = self.mall.user(dict.fromkeys(skus, 1))
        coupon = self.mall.coupon(user)
        orderings = [self.order(definition, [sku], coupon, user) for sku in skus]
        states = sorted(ordering.result().state for ordering in orderings)
        self.assertEqual(states, ["created", "failed"])
        for ordering in orderings:
            self.done(ordering)
        winner = next(o for o in orderings if o.result().state == "created")
        self.assertEqual(self.mall.coupon_record(user, coupon), (1, winner.result().order_id))

    @both_ways
    def test_D5_cancel_with_cancel(self, definition):
        cart = dict.fromkeys(self.mall.skus(2), 2)
        ordering = self.order(definition, cart)
        number = self.created(ordering).order_id
        self.done(ordering)
        front = self.mall.fronts[definition]
        answers = all_at_once(4, lambda _: front.cancel(ordering.user, number))
        won = [answer for answer in answers if answer.state == "cancelled"]
        self.assertEqual(len(won), 1, answers)
        for answer in answers:
            if answer is not won[0]:
                self.assertEqual((answer.status, answer.data.get("status")), (409, 4), answer)
        self.mall.wait_rest(stuck=self.mall.stuck)
        self.assert_untouched(cart)

    @both_ways
    def test_D8_D9_cart_edited_meanwhile(self, definition):
        ordered, added = self.mall.skus(2)
        hold = self.proxies["cart"].on("ClearCartItems", hold_request, times=1)
        ordering = self.order(definition, {ordered: 2})
        hold.wait_hit()
        self.mall.put_in_cart(ordering.user, {ordered: 5, added: 1})
        hold.release()
        self.created(ordering)
        self.done(ordering)
        self.assertEqual(self.mall.cart(ordering.user), {ordered: 3, added: 1})

    def test_D10_price_drift(self):
        """create_order only: the documented chain never looks at a price again."""
        sku = self.mall.skus(1, price=1_000)[0]
        ordering = self.order("create_order", {sku: 1}, price=900)
        answer = self.failed(ordering)
        self.assertIn("1000 cents now, 900 in the cart", answer.data["reason"]["message"])
        self.assert_untouched([sku])
        self.at_rest()

    def test_D15_a_half_built_order_is_not_cancelled(self):
        """create_order only: the chain writes an order payable before it is whole."""
        cart = dict.fromkeys(self.mall.skus(1), 1)
        hold = self.proxies["order"].on("ChangeOrderStatus", hold_request, times=1)
        ordering = self.order("create_order", cart)
        hold.wait_hit()
        number = self.saga(ordering)["businessKey"]
        order = self.mall.order(number)
        self.assertEqual((order["status"], order.get("expireTimeMs", 0)), (5, 0))
        refused = self.mall.fronts["create_order"].cancel(ordering.user, number)
        self.assertEqual(refused.state, "refused", refused)
        hold.release()
        self.created(ordering)
        self.done(ordering)
        order = self.mall.order(number)
        self.assertEqual(order.get("status", 0), 0)
        due = int(order["expireTimeMs"]) / 1000 - time.time()
        self.assertTrue(0 < due <= 1800, due)
        self.at_rest()

    @both_ways
    def test_T1_steps_slower_than_the_caller(self, definition):
        cart = dict.fromkeys(self.mall.skus(3), 1)
        for proxy in self.proxies.values():
            proxy.on("", delayed(STEP_TAKES_S))
        user, front = self.mall.user(cart), self.mall.fronts[definition]
        coupon = self.mall.coupon(user)
        began = time.monotonic()
        answer = front.create(user, list(cart), "slow", coupon)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual((answer.status, answer.state), (202, "processing"), answer)
        number = answer.order_id

        def created():
            shown = front.get(number)
            return shown.status == 200 and shown.data.get("status") == 0

        wait_until(created, f"order {number} by its number")
        for sku in cart:
            self.assert_stock(sku, 9, 1)
