#!/usr/bin/env python3
"""The oracles can fail: a small mall at rest satisfies all of them, and each way of breaking it is
found by the oracle that is there for it. No process is started."""

import copy
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import oracles


class FakeWorld:
    """One live order of two units of SKU 7 with coupon 5, and one order that was undone."""

    def __init__(self):
        self.seeded = {7: 10}
        self.stock = {7: {"total": 10, "available": 8, "locked": 2}}
        self.orders = {
            "SN1": {"userId": "1", "couponId": "5", "totalCents": "200", "discountCents": "50",
                    "payCents": "150", "items": [{"skuId": "7", "quantity": 2,
                                                  "priceCents": "100"}],
                    "history": [{"from": -1, "to": 5}, {"from": 5}]},
            "SN2": {"userId": "2", "status": 6, "totalCents": "100", "payCents": "100",
                    "items": [{"skuId": "7", "quantity": 1, "priceCents": "100"}],
                    "history": [{"from": -1, "to": 5}, {"from": 5, "to": 6}]}}
        self.records = [{"userId": "1", "couponId": "5", "status": 1, "usedOrderId": "SN1"}]
        self.sagas = {"a": self.saga("SN1", 2, "completed", "done"),
                      "b": self.saga("SN2", 1, "compensated", "undone")}
        self.effects = {("a", "write_order"): (1, 0), ("a", "deduct_stock[7]"): (1, 0),
                        ("b", "write_order"): (1, 1), ("b", "deduct_stock[7]"): (0, 0)}
        self.strangers = []

    @staticmethod
    def saga(order, quantity, status, stage):
        cart = {"items": [{"sku_id": "7", "quantity": quantity, "price_cents": "100"}]}
        leg = {"stage": stage}
        return {"definition": "create_order", "businessKey": order, "status": status,
                "idempotencyKey": f"key of {order}", "steps": [
                    {"name": "cart", "kind": "query", "legs": [{"response": cart}]},
                    {"name": "write_order", "kind": "call",
                     "legs": [{**leg, "name": "write_order"}]},
                    {"name": "deduct_stock", "kind": "call",
                     "legs": [{**leg, "name": "deduct_stock[7]", "key": "7",
                               "request": {"sku_id": "7", "quantity": quantity}}]}]}


def judge(world, stuck=()):
    """The numbers of the oracles that find something."""
    return {number for number, oracle in oracles.ORACLES.items()
            if list(oracle(world, set(stuck), set()))}


# What is broken, and the oracles that must see it.
BREAKAGES = {
    "a unit is lost": (lambda w: w.stock[7].update(available=7), {1}),
    "stock is negative": (lambda w: w.stock[7].update(available=-1, locked=11), {1, 2}),
    "units come from nowhere": (lambda w: w.stock[7].update(total=11, available=9), {1}),
    "stock leaks": (lambda w: w.stock[7].update(available=7, locked=3), {2}),
    "an order is oversold": (lambda w: w.stock[7].update(available=10, locked=0), {2}),
    "a saga is running": (lambda w: w.sagas["a"].update(status="running"), {3}),
    "a coupon serves a void order": (lambda w: w.records[0].update(usedOrderId="SN2"), {4}),
    "a coupon is free and used": (lambda w: w.records[0].update(status=0), {4}),
    "two orders, one coupon": (lambda w: w.orders.update(
        SN3={**w.orders["SN1"], "items": w.orders["SN1"]["items"]}), {2, 4, 5, 6}),
    "an order without items": (lambda w: w.orders["SN2"].update(items=[]), {5}),
    "a wrong total": (lambda w: w.orders["SN1"].update(totalCents="300"), {5}),
    "a wrong sum to pay": (lambda w: w.orders["SN1"].update(payCents="151"), {5}),
    "not what the cart had": (lambda w: w.sagas["b"]["steps"][0]["legs"][0]["response"]["items"][0]
                              .update(quantity=3), {5}),
    "one key, two orders": (lambda w: w.sagas["b"].update(idempotencyKey="key of SN1"), {6}),
    "an order of no saga": (lambda w: w.sagas["b"].update(businessKey="SN9"), {5, 6}),
    "a status from nowhere": (lambda w: w.orders["SN2"].update(
        history=[{"from": -1, "to": 5}, {"from": 5, "to": 4}], status=4), {7}),
    "a status not in the history": (lambda w: w.orders["SN2"].update(status=4), {7}),
    "an effect twice": (lambda w: w.effects.update({("a", "write_order"): (2, 0)}), {9}),
    "undone and not done": (lambda w: w.effects.update({("b", "write_order"): (0, 1)}), {9}),
    "done and not journaled": (lambda w: w.effects.update({("c", "write_order"): (1, 0)}), {9}),
    "journaled and not done": (lambda w: w.effects.pop(("a", "write_order")), {9}),
    "journaled as undone, in effect": (lambda w: w.effects.update(
        {("b", "write_order"): (1, 0)}), {9}),
}


class Oracles(unittest.TestCase):
    def test_a_sound_mall_is_sound(self):
        self.assertEqual(judge(FakeWorld()), set())

    def test_every_breakage_is_seen(self):
        for what, (break_it, wanted) in BREAKAGES.items():
            with self.subTest(what):
                world = copy.deepcopy(FakeWorld())
                break_it(world)
                self.assertEqual(judge(world), wanted)

    def test_every_oracle_sees_something(self):
        seen = set().union(*(wanted for _, wanted in BREAKAGES.values()))
        self.assertEqual(seen, set(oracles.ORACLES))

    def test_a_stuck_saga_must_say_what_to_do(self):
        world = FakeWorld()
        world.sagas["a"].update(status="stuck", explanation={"why": "in doubt"})
        self.assertIn(3, judge(world, stuck=["a"]))
        world.sagas["a"]["explanation"]["needsPerson"] = ["ask the participant"]
        self.assertNotIn(3, judge(world, stuck=["a"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
