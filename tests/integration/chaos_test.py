#!/usr/bin/env python3
"""Orders under kill -9: sixteen customers order through both order fronts, repeating with the same
key until they are answered, while skaldd, every participant and the fronts are killed at random
moments and restarted on the same ports and data, and one exchange in twelve between skaldd and a
participant is lost, broken, refused for now or late. When everything has come to rest, the nine
oracles hold and every customer was told the truth.

One order in ten is short of stock; one in twenty races another one for a coupon; one in ten is
cancelled again; one in ten is turned back by an operator while it is being made.

    chaos_test.py [--seed N] [--orders N] [--for SECONDS] [--keys barrier|dedup|none]

SKALD_SEED is the seed's default. --keys none runs participants that keep no keys: they must be
caught.
"""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import fault_proxy as faults
import oracles
from connect import ConnectError, NoAnswer
from mall import Mall
from mall_case import ANSWER_WITHIN_S, DEFINITIONS, Ordering
from processes import pause

CLIENTS = 16
ORDERS_AT_LEAST = 300
KILLS_AT_LEAST = 4  # of each process
PREPARED = 2_000  # orders that there are rows for
SEED_ROWS = 400  # in one request
FIRST_USER = 100_000
PLENTY = range(1, 21)  # SKUs with stock for everybody
SCARCE = 900  # one unit, always wanted twice
PRICE = 1_250
COUPON = 77
DISCOUNT = 300
REST_WITHIN_S = 90
LATER_THAN_THE_ATTEMPT_S = 2.3  # whose time is 2 s
FAULTS = {  # how many of a thousand exchanges
    "reply lost": (25, faults.lose_reply),
    "request lost": (15, faults.lose_request),
    "slow": (15, faults.delayed(0.2)),
    "late": (3, faults.delayed(LATER_THAN_THE_ATTEMPT_S)),
    "half an answer": (5, faults.half_body),
    "garbage": (5, faults.garbage),
    "done, but 500": (5, faults.connect_error(500, "internal", forward=True)),
    "done, but deadline": (5, faults.connect_error(504, "deadline_exceeded", forward=True)),
    "lost race": (5, faults.connect_error(409, "aborted")),
}


class Plan:
    """What order number `index` is, from the seed alone."""

    def __init__(self, seed, index):
        dice = random.Random(f"{seed}/{index}")
        self.index = index
        self.definition = dice.choice(DEFINITIONS)
        self.user = FIRST_USER + index
        skus = dice.sample(PLENTY, dice.randint(1, 4))
        self.cart = {sku: dice.randint(1, 3) for sku in skus}
        kind = dice.random()
        self.short = kind < 0.10
        self.races = 0.10 <= kind < 0.15  # a second order of the same user, with the same coupon
        self.cancelled = 0.15 <= kind < 0.25
        self.turned_back = 0.25 <= kind < 0.35
        self.pause = dice.random() * 0.4
        if self.short:
            self.cart[SCARCE] = 2
        self.rival_cart = {sku: 1 for sku in dice.sample(sorted(set(PLENTY) - set(skus)), 2)}

    def lines(self):
        cart = {**self.cart, **(self.rival_cart if self.races else {})}
        return [{"userId": self.user, "selected": True,
                 "item": {"skuId": sku, "productId": sku, "productName": f"product {sku}",
                          "priceCents": PRICE, "quantity": quantity}}
                for sku, quantity in cart.items()]


class Chaos:
    def __init__(self, seed, orders, seconds, keys):
        self.seed, self.orders_wanted, self.seconds = seed, orders, seconds
        self.mall = Mall(keys=keys)
        self.faults = Counter()
        self.turned_back = Counter()
        self.lock = threading.Lock()
        self.next_index = 0
        self.enough = threading.Event()
        self.lies = []  # what a customer was told and is not so
        self.told = {}  # (user, key) -> Ordering
        self.cancels = {}  # order -> answer
        self.waits = []

    def prepare(self):
        plans = [Plan(self.seed, index) for index in range(PREPARED)]
        rows, mall = self.mall.rows, self.mall
        skus = [*PLENTY, SCARCE]
        mall.seeded = {**{sku: 100_000 for sku in PLENTY}, SCARCE: 1}
        products = [{"id": s, "name": f"product {s}", "status": 1} for s in skus]
        rows["product"].seed(products=products,
                             skus=[{"skuId": s, "productId": s, "priceCents": PRICE} for s in skus])
        rows["inventory"].seed(stock=[{"skuId": s, "total": t} for s, t in mall.seeded.items()])
        rows["promotion"].seed(coupons=[{"id": COUPON, "type": 3, "discountCents": DISCOUNT}])
        lines = [line for plan in plans for line in plan.lines()]
        for first in range(0, len(lines), SEED_ROWS):
            rows["cart"].seed(lines=lines[first:first + SEED_ROWS])
        racing = [plan.user for plan in plans if plan.races]
        rows["promotion"].seed(records=[{"userId": u, "couponId": COUPON} for u in racing])

    def break_wires(self):
        """From now on, one exchange in twelve goes wrong."""
        dice = random.Random(f"{self.seed}/faults")

        def fault(exchange):
            with self.lock:
                drawn = dice.randrange(1_000)
                for name, (share, chosen) in FAULTS.items():
                    drawn -= share
                    if drawn < 0:
                        self.faults[name] += 1
                        break
            if drawn < 0:
                return chosen(exchange)
            exchange.reply(exchange.forward())

        for proxy in self.mall.proxies.values():
            proxy.on("", fault)

    def take_plan(self):
        with self.lock:
            if self.enough.is_set() or self.next_index >= PREPARED:
                return None
            self.next_index += 1
            return Plan(self.seed, self.next_index - 1)

    def client(self):
        while plan := self.take_plan():
            try:
                self.shop(plan)
            except AssertionError as lie:
                self.lies.append(f"order {plan.index}: {lie}")
            pause(plan.pause)

    def begin(self, plan, cart, key, coupon=0):
        ordering = Ordering(self.mall.fronts[plan.definition], plan.user, cart, key, coupon)
        ordering.began = time.monotonic()
        self.told[(plan.user, key)] = ordering
        ordering.start()
        return ordering

    def finish(self, ordering):
        answer = ordering.result()
        self.waits.append(time.monotonic() - ordering.began)
        return answer

    def shop(self, plan):
        if plan.races:
            rivals = [self.begin(plan, plan.cart, "one", COUPON),
                      self.begin(plan, plan.rival_cart, "two", COUPON)]
            states = [self.finish(rival).state for rival in rivals]
            assert sorted(states) == ["created", "failed"], f"one coupon, two orders: {states}"
            return
        ordering = self.begin(plan, plan.cart, "one")
        if plan.turned_back:
            self.turn_back(ordering)
            self.finish(ordering)
            return
        answer = self.finish(ordering)
        wanted = "failed" if plan.short else "created"
        assert answer.state == wanted, f"wanted {wanted}: {answer}"
        if plan.cancelled:
            self.cancel(plan, answer.order_id)

    def turn_back(self, ordering):
        """An operator cancels the saga as soon as it is there; whether in time is its business."""
        ends = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < ends:
            try:
                self.mall.engine.cancel(idempotencyKey=ordering.saga_key, reason="no, not that")
                code = "in time"
            except ConnectError as error:
                code = error.code
            except NoAnswer:
                code = "no answer"
            if code in ("in time", "failed_precondition", "aborted"):
                with self.lock:
                    self.turned_back[code] += 1
                return
            pause(0.005)
        raise AssertionError(f"nobody answers the cancel of {ordering.saga_key}")

    def cancel(self, plan, order_id):
        front = self.mall.fronts[plan.definition]
        ends = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < ends:
            try:
                answer = front.cancel(plan.user, order_id, "enough")
            except NoAnswer:
                answer = None
            if answer and answer.state in ("cancelled", "refused"):
                # Refused is legal: the order is told as created while it is still being opened.
                self.cancels[order_id] = answer
                return
            pause(0.05)
        raise AssertionError(f"nobody answers the cancellation of {order_id}")

    def kill_and_restart(self, dice):
        """Until there are orders and kills enough, or the time is up."""
        processes = self.mall.processes
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            fewest = min(process.kills for process in processes)
            if self.next_index >= self.orders_wanted and fewest >= KILLS_AT_LEAST:
                return
            behind = [process for process in processes if process.kills == fewest]
            victim = self.mall.daemon.process if dice.random() < 0.35 else dice.choice(behind)
            pause(dice.random() * 0.7)
            victim.kill()
            pause(dice.random() * 0.4)
            if dice.random() < 0.25:  # once more while it recovers
                victim.restart(wait=False)
                pause(dice.random() * 0.3)
                victim.kill()
            victim.restart()

    def check(self):
        """What does not hold."""
        found = [f"a customer: {lie}" for lie in self.lies]
        found += oracles.findings(self.mall)
        world = oracles.World(self.mall)
        for (user, key), ordering in self.told.items():
            if not ordering.answers:
                found.append(f"a customer: user {user} key {key} was never answered")
                continue
            answer = ordering.answers[-1]
            status = world.orders.get(answer.order_id, {"status": None}).get("status", 0)
            legal = {"created": (0, 4), "failed": (None, 6)}.get(answer.state, ())
            if status not in legal:
                found.append(f"a customer: {answer.order_id} was {answer.state}, it is {status}")
        for order_id, answer in self.cancels.items():
            status = world.orders[order_id].get("status", 0)
            if (answer.state == "cancelled") != (status == 4):
                found.append(f"a customer: {order_id} was {answer.state}, it is {status}")
        return found, world

    def run(self):
        began = time.monotonic()
        self.mall.start()
        self.prepare()
        self.break_wires()
        clients = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            self.kill_and_restart(random.Random(f"{self.seed}/kills"))
        finally:
            self.enough.set()
            for client in clients:
                client.join()
        stormy = time.monotonic() - began
        self.mall.clear_faults()
        restless = []
        try:
            self.mall.wait_rest(within=REST_WITHIN_S)
        except TimeoutError as late:
            restless.append(str(late))
        found, world = self.check()
        return restless + found, stormy, world


def report(chaos, found, stormy, world):
    kills = {process.name: process.kills for process in chaos.mall.processes}
    waits = sorted(chaos.waits)
    print(f"seed {chaos.seed}: {len(chaos.told)} orders by {CLIENTS} customers, "
          f"{sum(kills.values())} kills in {stormy:.0f} s")
    print("  kills: " + ", ".join(f"{name} {count}" for name, count in kills.items()))
    print(f"  {sum(chaos.faults.values())} exchanges broken: "
          + ", ".join(f"{name} {count}" for name, count in chaos.faults.items()))
    states = Counter(o.answers[-1].state if o.answers else "unanswered"
                     for o in chaos.told.values())
    repeats = sum(len(o.answers) - 1 + o.lost for o in chaos.told.values() if o.answers)
    print(f"  told: {dict(states)}; cancelled {len(chaos.cancels)}; sent again {repeats} times")
    print(f"  turned back by an operator: {dict(chaos.turned_back)}")
    if waits:
        print(f"  answered within: median {waits[len(waits) // 2]:.2f} s, "
              f"p99 {waits[len(waits) * 99 // 100]:.2f} s, longest {waits[-1]:.2f} s")
    if world:
        print(f"  at rest: sagas {dict(Counter(s['status'] for s in world.sagas.values()))}, "
              f"{len(world.orders)} orders, {len(world.effects)} legs with effects or tombstones")
    for oracle, why in oracles.NOT_EXERCISED.items():
        print(f"  not exercised: oracle {oracle}: {why}")
    too_few = len(chaos.told) < chaos.orders_wanted or min(kills.values()) < 1
    if too_few:
        found.append("too little happened in the time there was: the machine is too slow")
    for line in found[:50]:
        print(f"FAILED {line}")
    print(f"{len(found)} findings" if found else "every oracle holds")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default_seed = int(os.environ.get("SKALD_SEED") or random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--seed", type=int, default=default_seed)
    parser.add_argument("--orders", type=int, default=ORDERS_AT_LEAST)
    parser.add_argument("--for", dest="seconds", type=float, default=75)
    parser.add_argument("--keys", default="barrier", choices=("barrier", "dedup", "none"))
    options = parser.parse_args()
    print(f"seed {options.seed}: rerun with --seed {options.seed}", flush=True)
    chaos = Chaos(options.seed, options.orders, options.seconds, options.keys)
    try:
        found, stormy, world = chaos.run()
        report(chaos, found, stormy, world)
        if found:
            print(chaos.mall.log_tails())
        return 1 if found else 0
    finally:
        chaos.mall.stop()


if __name__ == "__main__":
    sys.exit(main())
