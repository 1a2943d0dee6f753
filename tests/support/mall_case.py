"""What tests of the mall share: one mall for a whole file, orders that are asked for until they are
answered, the oracles after every test, and logs beside a failure."""

import functools
import sys
import threading
import time
import unittest

import oracles
from connect import ConnectError, NoAnswer
from mall import Mall
from processes import SLOWDOWN, pause, wait_until

DEFINITIONS = ("create_order", "create_order_chain")
ANSWER_WITHIN_S = 60.0 * SLOWDOWN
FINAL = ("created", "failed")


class Ordering(threading.Thread):
    """A customer who sends the same order with the same key until told what became of it."""

    def __init__(self, front, user, skus, key, coupon=0, within=ANSWER_WITHIN_S):
        super().__init__(daemon=True)
        self.front, self.user, self.skus, self.key = front, user, list(skus), key
        self.coupon, self.within = coupon, within
        self.answers = []  # every answer, the last one is final
        self.lost = 0

    def run(self):
        ends = time.monotonic() + self.within
        while time.monotonic() < ends:
            try:
                answer = self.front.create(self.user, self.skus, self.key, self.coupon)
            except NoAnswer:
                self.lost += 1
            else:
                self.answers.append(answer)
                if answer.state in FINAL or 400 <= answer.status < 500 and answer.status != 429:
                    return
            pause(0.02)

    def result(self):
        self.join(self.within + 30)
        assert self.answers and (self.answers[-1].state in FINAL), f"no answer: {self.answers}"
        numbers = {answer.order_id for answer in self.answers if answer.order_id}
        assert len(numbers) == 1, f"one key, several orders: {self.answers}"
        return self.answers[-1]

    @property
    def saga_key(self):
        return f"order/{self.user}/{self.key}"


def both_ways(test):
    """Runs the test for the recommended order of steps and for the documented chain."""
    @functools.wraps(test)
    def run(self):
        for definition in DEFINITIONS:
            with self.subTest(definition=definition):
                test(self, definition)
                self.at_rest()
    return run


class MallCase(unittest.TestCase):
    mall: Mall  # one for all test classes of the process

    def setUp(self):
        self.engine = self.mall.engine
        self.proxies = self.mall.proxies
        self.addCleanup(self.mall.clear_faults)

    def order(self, definition, cart, coupon=0, user=None, price=1_000):
        """Starts ordering the whole cart; see Ordering."""
        user = user or self.mall.user(cart, price)
        ordering = Ordering(self.mall.fronts[definition], user, cart,
                            f"key-{self.mall.number()}", coupon)
        ordering.start()
        return ordering

    def created(self, ordering):
        answer = ordering.result()
        self.assertEqual(answer.state, "created", answer)
        return answer

    def failed(self, ordering):
        answer = ordering.result()
        self.assertEqual(answer.state, "failed", answer)
        return answer

    def saga(self, ordering, **what):
        """The saga of an order, once it is there."""
        def look():
            try:
                return self.engine.get(idempotencyKey=ordering.saga_key, **what)
            except (ConnectError, NoAnswer):
                return None
        return wait_until(look, f"the saga of {ordering.saga_key}")

    def done(self, ordering):
        """The saga, once it is terminal."""
        self.saga(ordering)
        return self.engine.wait(idempotencyKey=ordering.saga_key)

    def saga_when(self, fact, what, **saga):
        """The saga, once the fact holds of it."""
        def look():
            whole = self.engine.get(**saga)
            return whole if fact(whole) else None
        return wait_until(look, what)

    def crash(self):
        self.mall.daemon.crash()

    def at_rest(self, stuck=()):
        """Lets go of all faults, waits, and asks the oracles."""
        self.mall.clear_faults()
        stuck = self.mall.stuck | set(stuck)
        self.mall.wait_rest(stuck=stuck)
        found = oracles.findings(self.mall, stuck, self.mall.foreign_orders)
        self.assertEqual(found, [], "\n".join(found))

    def assert_stock(self, sku, available, locked):
        self.assertEqual(self.mall.stock(sku), (available, locked), f"SKU {sku}")

    def assert_untouched(self, skus, stock=10):
        for sku in skus:
            self.assert_stock(sku, stock, 0)


class _LoggedResult(unittest.TextTestResult):
    """Says beside a failure what the processes said last."""

    tails = staticmethod(lambda: "")

    def addError(self, test, err):
        super().addError(test, err)
        self.stream.writeln(self.tails())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.stream.writeln(self.tails())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.stream.writeln(self.tails())


def run_cases(cases, tails=lambda: "", names=()):
    """Runs test classes in order; names on the command line choose tests. The process's exit
    code."""
    _LoggedResult.tails = staticmethod(tails)
    suite = unittest.TestSuite()
    for case in cases:
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(case):
            if not names or any(name in test.id() for name in names):
                suite.addTest(test)
    began = time.monotonic()
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2,
                                     resultclass=_LoggedResult).run(suite)
    print(f"{result.testsRun} tests, {time.monotonic() - began:.0f} s")
    return 0 if result.wasSuccessful() and result.testsRun else 1


def run_on_mall(cases, names=(), **options):
    """The same with one mall under all of them."""
    mall = Mall(**options)
    mall.start()
    MallCase.mall = mall
    try:
        return run_cases(cases, mall.log_tails, names)
    finally:
        mall.stop()
