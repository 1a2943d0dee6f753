#!/usr/bin/env python3
"""The real skaldd runs out of memory: memory_seam (LD_PRELOAD) lets one request of operator new
fail, at any number of an order or of the daemon's start, chosen by a seed. The daemon may answer an
error or die, but not stay and do nothing; it starts again, the client repeats its submission, and
everything must be as if nothing had happened.

    memory_points.py [--sample N] [--seed N] [--variants N]
"""

import argparse
import mmap
import os
import random
import struct
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import oracles
from mall import Mall
from order_variants import QUERIES, Order, variants
from processes import SLOWDOWN
from victim import Together, Victim, seam

SKIPPED = 77
STARTS_ONE_IN = 5  # the others fail under an order
FINDINGS_MAX = 10


class Starved(Victim):
    """A skaldd with memory_seam in it."""

    def __init__(self, mall, index):
        path = os.path.join(mall.folder, f"memory-{index}")
        with open(path, "wb") as file:
            file.write(bytes(16))
        with open(path, "r+b") as file:
            self.numbers = mmap.mmap(file.fileno(), 16)
        super().__init__(mall, index, lambda ports: [
            f"LD_PRELOAD={seam('memory_seam')}", f"SKALD_SEAM_MEMORY={path}"])

    def asked(self):
        """How many requests there were."""
        return struct.unpack_from("=Q", self.numbers, 0)[0]

    def fail_in(self, number):
        """The request that comes as this one from now on fails; 0: none."""
        struct.pack_into("=Q", self.numbers, 8, self.asked() + number if number else 0)

    def finish(self, order):
        """Drives the order through a death, and whether there was one."""
        status = self.drive(order)
        died = status is None
        self.fail_in(0)
        if died:
            self.revive()
            status = self.drive(order)
        found = list(order.findings(status))
        if found:
            raise AssertionError(f"{order.key}: {'; '.join(found)}")
        return died

    def starve_under(self, variant, number):
        order = Order(self.mall, self.proxies, variant)
        self.fail_in(number)
        return self.finish(order)

    def starve_at_start(self, number):
        """An order is cut off by kill -9; the start after it has no memory."""
        order = Order(self.mall, self.proxies, self.plain)
        self.daemon.process.kill()
        self.fail_in(number)
        self.daemon.process.restart(wait=False)
        try:
            self.daemon.process.wait_ready()
            died = False
        except AssertionError:  # it ended
            died = True
            self.fail_in(0)
            self.daemon.process.restart()
        return self.finish(order) or died

    def measure(self, all_variants):
        """How many requests a start and an order of each variant make."""
        self.plain = all_variants[0]
        self.daemon.process.kill()
        before = self.asked()
        self.daemon.process.restart()
        self.start_asks = self.asked() - before
        self.order_asks = {}
        for variant in all_variants:
            before = self.asked()
            self.finish(Order(self.mall, self.proxies, variant))
            self.order_asks[str(variant)] = self.asked() - before


def campaign(mall, options):
    """What is wrong, and counts of how it went."""
    dice = random.Random(options.seed)
    chosen = [variant for definition in QUERIES for variant in variants(definition)]
    chosen = [chosen[0], *dice.sample(chosen[1:], options.variants)]
    for process in mall.participants.values():
        process.start()
    victim = Starved(mall, 0)
    findings, deaths, starts = [], 0, 0
    try:
        victim.thread.submit(victim.measure, chosen).result()
        for turn in range(options.sample):
            at_start = turn % STARTS_ONE_IN == 0
            variant = dice.choice(chosen)
            asks = victim.start_asks if at_start else victim.order_asks[str(variant)]
            number = dice.randint(1, asks)
            work = ((victim.starve_at_start, number) if at_start
                    else (victim.starve_under, variant, number))
            try:
                deaths += victim.thread.submit(*work).result()
                starts += at_start
            except Exception as wrong:  # pylint: disable=broad-exception-caught
                where = "a start" if at_start else variant
                findings.append(f"{where}, request {number} of {asks}: {wrong!r}")
                if len(findings) == FINDINGS_MAX or not victim.daemon.process.alive:
                    break
        mall.engine = Together([victim])
        findings += oracles.findings(mall)
    finally:
        victim.stop()
    print(f"out of memory: {victim.start_asks} requests of a start, "
          f"{victim.order_asks[str(chosen[0])]} of an order; {options.sample} of them failed, one "
          f"at a time ({starts} in a start), the daemon died of {deaths}")
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--variants", type=int, default=4, help="beside the plain order")
    options = parser.parse_args()
    if SLOWDOWN > 1:
        print("skipped: a sanitizer has an operator new of its own")
        return SKIPPED
    began = time.monotonic()
    mall = Mall(definitions=())
    try:
        findings = campaign(mall, options)
        for finding in findings:
            print(f"WRONG {finding}")
        print(f"seed {options.seed}, {time.monotonic() - began:.0f} s, {len(findings)} findings")
        if findings:
            print(mall.log_tails())
        return 1 if findings else 0
    finally:
        mall.stop()


if __name__ == "__main__":
    sys.exit(main())
