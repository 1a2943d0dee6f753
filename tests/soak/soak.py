#!/usr/bin/env python3
"""Holds 70 % of what the engine can carry and watches that nothing grows: memory, descriptors,
latency, the age of the oldest open order.

    soak.py [--for SECONDS] [--into FOLDER] [--rate N]
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import load
import plot
from mall import Daemon, Rows, program
from processes import Process, free_port, pause

SHARE = 0.7
WORKERS = 64
CAPACITY_FOR_S = 10.0
SAMPLE_EVERY_S = 1.0
WARM_UP_SHARE = 0.25  # caches and buffers fill; judged is what comes after
SAMPLES_LEAST = 8

# What may not be exceeded. Growth of descriptors is what a straight line through the judged samples
# rises by, of p99 how its median moves from their first half to the second.
# Memory is a saw: the store fills its buffers (64 MiB for events, as much for rows) and drops them
# when they are on disk. Judged is its floor, between the first half and the second of what follows
# the first drop; before that, no saga may add more than it takes in those buffers.
FLOOR_SAMPLES_LEAST = 240  # with fewer after the first drop, a floor is one tooth or two
RSS_DROP_KIB = 8 * 1024  # from one sample to the next: a buffer went
RSS_PER_SAGA_MAX_KIB = 4
RSS_FLOOR_GROWTH_MAX = 0.05
RSS_SLACK_KIB = 16 * 1024  # as little is noise of an allocator
DESCRIPTORS_GROWTH_MAX = 16  # table files come and go
P99_JUDGED_FROM_S = 300.0  # in less time its line tells of the machine, not of the engine
P99_GROWTH_MAX = 0.10  # of what it was, or
P99_GROWTH_SLACK_MS = 10.0  # other people's work on this machine
OLDEST_MAX_S = 3.0
RATE_SHORTFALL_MAX = 0.05


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def rise(values):
    """How much the least-squares line through the values rises from first to last."""
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope * (len(values) - 1)


def memory_findings(rss, sagas):
    """What is wrong with the memory over a whole run, as sentences."""
    drop = next((i for i in range(1, len(rss)) if rss[i - 1] - rss[i] > RSS_DROP_KIB), None)
    if drop is None or len(rss) - drop < FLOOR_SAMPLES_LEAST:
        grown, allowed = rss[-1] - rss[0], sagas * RSS_PER_SAGA_MAX_KIB + RSS_SLACK_KIB
        print(f"  memory: the store's buffers fill and empty, {grown / max(1, sagas):.2f} KiB "
              f"a saga; its floor is judged in a longer run")
        return [f"memory grew by {grown} KiB with {sagas} sagas"] if grown > allowed else []
    after = rss[drop:]
    early, late = min(after[:len(after) // 2]), min(after[len(after) // 2:])
    print(f"  memory: floor {early / 1024:.1f} MiB, then {late / 1024:.1f} MiB")
    if late - early > RSS_FLOOR_GROWTH_MAX * early + RSS_SLACK_KIB:
        return [f"the floor of memory rose from {early / 1024:.1f} to {late / 1024:.1f} MiB"]
    return []


class Soak:
    def __init__(self, seconds, rate):
        self.seconds, self.rate = seconds, rate
        self.folder = tempfile.mkdtemp(prefix="skald-soak-")
        port = free_port()
        self.inventory = Process("inventory", [program("mall_inventory"), "--listen",
                                               f"127.0.0.1:{port}", "--data",
                                               os.path.join(self.folder, "mall")],
                                 os.path.join(self.folder, "inventory.log"), port)
        self.rows = Rows("inventory", port)
        self.daemon = Daemon(self.folder)
        self.customers = load.Customers(self.daemon.port, load.definition(port), WORKERS)
        self.samples, self.capacity = [], 0.0

    def start(self):
        self.inventory.start()
        self.daemon.process.start()
        self.rows.seed(stock=[{"skuId": sku, "total": load.STOCK}
                              for sku in range(1, load.SKUS + 1)])

    def measure_capacity(self):
        self.customers.start()
        pause(CAPACITY_FOR_S / 5)
        began, done = time.monotonic(), self.customers.done
        pause(CAPACITY_FOR_S)
        self.capacity = (self.customers.done - done) / (time.monotonic() - began)
        self.rate = self.rate or SHARE * self.capacity
        print(f"capacity: {self.capacity:.0f} sagas/s with {WORKERS} callers; "
              f"holding {self.rate:.0f} sagas/s for {self.seconds:.0f} s", flush=True)

    def hold(self):
        self.customers.hold(self.rate)
        began, before = time.monotonic(), self.customers.done
        while time.monotonic() - began < self.seconds:
            pause(SAMPLE_EVERY_S)
            latencies, oldest = self.customers.take()
            pid = self.daemon.process.pid
            self.samples.append({
                "at_s": round(time.monotonic() - began, 2), "rss_kib": rss_kib(pid),
                "descriptors": descriptors(pid), "answered": len(latencies),
                "p50_ms": quantile(latencies, 0.5) * 1e3 if latencies else 0.0,
                "p99_ms": quantile(latencies, 0.99) * 1e3 if latencies else 0.0,
                "oldest_s": oldest})
        self.held = (self.customers.done - before) / (time.monotonic() - began)

    def judge(self):
        """What grew or went wrong, as sentences."""
        judged = self.samples[int(len(self.samples) * WARM_UP_SHARE):]
        if len(judged) < SAMPLES_LEAST:
            return [f"only {len(judged)} samples: run it longer"]
        column = {name: [sample[name] for sample in judged] for name in judged[0]}
        found = []
        found += memory_findings([sample["rss_kib"] for sample in self.samples],
                                 sum(sample["answered"] for sample in self.samples))
        if rise(column["descriptors"]) > DESCRIPTORS_GROWTH_MAX:
            found.append(f"descriptors grew by {rise(column['descriptors']):.0f}")
        # Medians: where a compaction falls in the run says nothing of how latency moves. How long
        # one may hold orders up is the business of the oldest one.
        half = len(judged) // 2
        early, late = (statistics.median(part) for part in (column["p99_ms"][:half],
                                                            column["p99_ms"][half:]))
        long_enough = self.seconds >= P99_JUDGED_FROM_S
        if long_enough and late - early > max(P99_GROWTH_MAX * early, P99_GROWTH_SLACK_MS):
            found.append(f"p99 grew from {early:.1f} to {late:.1f} ms")
        if max(column["oldest_s"]) > OLDEST_MAX_S:
            found.append(f"an order was open for {max(column['oldest_s']):.1f} s")
        if self.held < (1 - RATE_SHORTFALL_MAX) * self.rate:
            found.append(f"held {self.held:.0f} sagas/s, wanted {self.rate:.0f}")
        if self.customers.wrong:
            found.append(f"answers that were not expected: {self.customers.wrong}")
        if self.daemon.process.kills or not self.daemon.process.alive:
            found.append("skaldd is gone")
        return found

    def stop(self):
        self.customers.stop()
        self.daemon.process.stop()
        self.inventory.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def report(self, into, found):
        series = [(title, unit, [sample[name] * scale for sample in self.samples])
                  for title, unit, name, scale in (
                      ("memory", "MiB", "rss_kib", 1 / 1024),
                      ("descriptors", "", "descriptors", 1),
                      ("p50", "ms", "p50_ms", 1), ("p99", "ms", "p99_ms", 1),
                      ("oldest open", "s", "oldest_s", 1), ("answered", "/s", "answered", 1))]
        for title, unit, values in series:
            print(plot.line(title, unit, values))
        os.makedirs(into, exist_ok=True)
        title = f"{self.held:.0f} sagas/s held, capacity {self.capacity:.0f}"
        with open(os.path.join(into, "soak.svg"), "w", encoding="utf-8") as out:
            out.write(plot.svg(title, series, self.seconds))
        with open(os.path.join(into, "soak.json"), "w", encoding="utf-8") as out:
            json.dump({"capacity": self.capacity, "rate": self.rate, "held": self.held,
                       "findings": found, "samples": self.samples}, out, indent=1)
        print(f"{title}; soak.svg and soak.json are in {into}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--for", dest="seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=0, help="sagas/s, instead of 70 %%")
    parser.add_argument("--into", default="", help="folder for soak.svg and soak.json")
    options = parser.parse_args()
    root = os.path.join(HERE, "..", "..")
    into = options.into or os.path.join(
        os.path.normpath(root), "build", "soak", time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime()))
    soak = Soak(options.seconds, options.rate)
    try:
        soak.start()
        soak.measure_capacity()
        soak.hold()
        found = soak.judge()
        soak.report(into, found)
    finally:
        soak.stop()
    for line in found:
        print(f"FAILED {line}")
    print(f"{len(found)} findings" if found else "flat")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
