#!/usr/bin/env python3
"""Every crash point of a real order: skaldd is killed with -9 before and after every sync of its
log and every send to a participant, in every variant, by kill_seam (LD_PRELOAD). A dry run counts
the points of a variant; then an order of its own visits each: the daemon dies there, starts again,
the client repeats its submission, and everything must be as if nothing had happened.

    kill_points.py                  every point of every variant (some minutes)
    kill_points.py --sample 120     so many points of some variants, chosen by a seed
    kill_points.py --only TEXT      variants whose name contains TEXT
"""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import oracles
from connect import ConnectError, NoAnswer
from mall import Mall
from order_variants import QUERIES, Order, variants
from victim import Together, Victim, seam

TRIES_MAX = 40  # for one point: the order of events decides whether a run has it
DRY_RUNS = 3  # the one of middle length counts: rarely, two answers share a commit, or do not
POINTS_OF_A_VARIANT = 6  # in a sample
FINDINGS_MAX = 20


class Missed(Exception):
    """The run had fewer points than the dry run."""


class Killed(Victim):
    """A skaldd with kill_seam in it."""

    def __init__(self, mall, index):
        self.plan_path = os.path.join(mall.folder, f"plan-{index}")
        self.trace_path = os.path.join(mall.folder, f"trace-{index}")
        self.plans = 0
        super().__init__(mall, index, lambda ports: [
            f"LD_PRELOAD={seam('kill_seam')}", f"SKALD_SEAM_PLAN={self.plan_path}",
            f"SKALD_SEAM_TRACE={self.trace_path}",
            f"SKALD_SEAM_PORTS={','.join(str(port) for port in ports)}"])

    def play(self, variant, number=0, side="after"):
        """One order; the daemon dies at the point with this number (0: never). Returns the moments
        that were counted. Raises Missed, or AssertionError with what is wrong."""
        order = Order(self.mall, self.proxies, variant)
        self._set_plan(f"{self.index}-{self.plans} {number} {side}")
        status = self.drive(order)
        moments = self._end_plan()
        if status is None:  # it died
            if moments[-1] != "killed" or len(moments) != number + 1:
                raise AssertionError(f"it died by itself after {moments}:\n"
                                     f"{self.daemon.process.log_tail()}")
            self.revive()
            status = self.drive(order)
        elif number:
            raise Missed()
        found = list(order.findings(status))
        if found:
            raise AssertionError(f"{order.key}: {'; '.join(found)}")
        return moments

    def _set_plan(self, text):
        self.plans += 1
        if os.path.exists(self.trace_path):
            os.remove(self.trace_path)
        with open(self.plan_path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(self.plan_path + ".new", self.plan_path)

    def _end_plan(self):
        os.remove(self.plan_path)
        try:
            with open(self.trace_path, encoding="ascii") as file:
                return file.read().split()
        except FileNotFoundError:
            return []


class Hunt:
    def __init__(self, workers, chosen, sample, seed):
        self.mall = Mall(definitions=())
        self.workers, self.chosen, self.sample = workers, chosen, sample
        self.dice = random.Random(seed)
        if sample:
            some = min(len(chosen), -(-sample // POINTS_OF_A_VARIANT))
            self.chosen = self.dice.sample(chosen, some)
        self.lock = threading.Lock()
        self.moments = {}  # variant -> kinds of its moments
        self.visited = Counter()  # variant -> points
        self.wanted = Counter()
        self.missed = 0
        self.findings = []

    def run(self):
        for process in self.mall.participants.values():
            process.start(wait=False)
        for process in self.mall.participants.values():
            process.wait_ready()
        self.victims = [Killed(self.mall, index) for index in range(self.workers)]
        try:
            self._for_each(self.chosen, self._count)
            points = [(variant, number, side) for variant in self.chosen
                      for number in range(1, len(self.moments.get(str(variant), ())) + 1)
                      for side in ("before", "after")]
            self.total = len(points)
            if self.sample:
                points = self._spread(points)
            self.wanted.update(str(variant) for variant, _, _ in points)
            self._for_each(points, self._visit)
            self._ask_oracles()
        finally:
            for victim in self.victims:
                victim.stop()

    def _spread(self, points):
        """A sample that takes from every variant in turn."""
        self.dice.shuffle(points)
        turn = Counter()
        rounds = []
        for point in points:
            rounds.append((turn[str(point[0])], len(rounds), point))
            turn[str(point[0])] += 1
        return [point for _, _, point in sorted(rounds)[:self.sample]]

    def _for_each(self, jobs, work):
        """Every worker takes the next job until there is none."""
        left = list(reversed(jobs))

        def run(victim):
            while True:
                with self.lock:
                    if not left or len(self.findings) >= FINDINGS_MAX:
                        return
                    job = left.pop()
                try:
                    work(victim, job)
                except (AssertionError, ConnectError, NoAnswer, TimeoutError) as wrong:
                    with self.lock:
                        self.findings.append(f"{describe(job)}: {wrong!r}")
                    return

        for task in [victim.thread.submit(run, victim) for victim in self.victims]:
            task.result()

    def _count(self, victim, variant):
        runs = [victim.play(variant) for _ in range(DRY_RUNS)]
        self.moments[str(variant)] = sorted(runs, key=len)[DRY_RUNS // 2]

    def _visit(self, victim, point):
        variant, number, side = point
        for _ in range(TRIES_MAX):
            try:
                victim.play(variant, number, side)
            except Missed:
                with self.lock:
                    self.missed += 1
                continue
            with self.lock:
                self.visited[str(variant)] += 1
            return
        raise AssertionError(f"no run of {TRIES_MAX} had this point")

    def _ask_oracles(self):
        self.mall.engine = Together(self.victims)
        self.findings += oracles.findings(self.mall)


def describe(job):
    return f"{job[0]} {job[2]} {job[1]}" if isinstance(job, tuple) else str(job)


def report(hunt, seed, began):
    print(f"{'variant':56} {'W':>4} {'S':>4} {'points':>6} {'visited':>7}")
    for variant in hunt.chosen:
        kinds = Counter(hunt.moments.get(str(variant), ()))
        print(f"{str(variant):56} {kinds['sync']:4} {kinds['send']:4} {2 * kinds.total():6} "
              f"{hunt.visited[str(variant)]:7}")
    for finding in hunt.findings[:FINDINGS_MAX]:
        print(f"WRONG {finding}")
    wanted, visited = hunt.wanted.total(), hunt.visited.total()
    chosen = f", {wanted} of them chosen by seed {seed}" if wanted != hunt.total else ""
    print(f"crash points by kill -9: {len(hunt.chosen)} variants, N1 = {hunt.total}{chosen}, "
          f"visited {visited} in {time.monotonic() - began:.0f} s; "
          f"{hunt.missed} runs did not have their point and were repeated")
    return 0 if not hunt.findings and visited == wanted and wanted else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    chosen = [variant for definition in QUERIES for variant in variants(definition)
              if options.only in str(variant)]
    hunt = Hunt(options.workers, chosen, options.sample, options.seed)
    try:
        hunt.run()
        code = report(hunt, options.seed, began)
        if code:
            print(hunt.mall.log_tails())
        return code
    finally:
        hunt.mall.stop()


if __name__ == "__main__":
    sys.exit(main())
