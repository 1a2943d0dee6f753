#!/usr/bin/env python3
"""What is served for people who watch: /metrics by Prometheus' own rules and without ids, the
dashboard and the alert rules that read it, `skaldctl stats` and `top`, the manual page.

    metrics_test.py [name...]     only tests whose name contains one of the names
"""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from fault_proxy import FaultProxy, answer, lose_reply
from inline import call_step, definition, pivot_step
from mall import Daemon, program
from mall_case import run_cases
from processes import SLOWDOWN, http_get, wait_until
from terminal import can_open

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RULES = os.path.join(ROOT, "tools", "grafana", "alerts.yml")
DASHBOARD = os.path.join(ROOT, "tools", "grafana", "skald.json")
COMMAND_WITHIN_S = 30 * SLOWDOWN
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)+)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
SAGA_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
LABELS = {"status", "definition", "step", "operation", "outcome", "participant", "kind", "webhook",
          "le"}


def tool(name):
    found = shutil.which(name)
    if found is None:
        raise unittest.SkipTest(f"{name} is not installed")
    return found


class Insight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="skald-metrics-")
        cls.shop = FaultProxy("shop")
        cls.daemon = Daemon(
            cls.folder, flags=["--webhook", f"pager=http://127.0.0.1:{cls.shop.port}/"])
        cls.daemon.process.start()
        cls.ids = [cls.submit("fine", pivot_step(cls.shop, "pay"), wait="done")]
        cls.shop.on("pay/action", answer(422), times=1)
        cls.ids.append(cls.submit("undone", call_step(cls.shop, "book"),
                                  pivot_step(cls.shop, "pay"), wait="done"))
        cls.shop.on("pay/action", lose_reply, times=1)
        cls.ids.append(cls.submit("stays", pivot_step(cls.shop, "pay", keys="none")))
        wait_until(lambda: cls.daemon.engine.get(sagaId=cls.ids[2]).get("status") == "stuck",
                   "a saga to be stuck")
        wait_until(lambda: cls.samples().get("skald_stuck_oldest_seconds", {"": 0})[""] > 0 and
                   cls.samples()["skald_webhook_delivered_total"]['webhook="pager"'] >= 2,
                   "the figures to tell of it")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.process.stop()
        cls.shop.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def submit(cls, name, *steps, wait="accepted"):
        return cls.daemon.engine.submit(inlineDefinition=definition(name, *steps), wait=wait,
                                        businessKey=f"order-{name}")["sagaId"]

    @classmethod
    def text(cls):
        return http_get(cls.daemon.port, "/metrics")[1]

    @classmethod
    def samples(cls):
        """Values by metric and labels; raises where a line is none."""
        found = {}
        for line in cls.text().splitlines():
            if line.startswith("#"):
                continue
            sample = SAMPLE.match(line)
            assert sample, line
            labels = (sample.group(2) or "").rstrip(",")
            series = found.setdefault(sample.group(1), {})
            assert labels not in series, line
            series[labels] = float(sample.group(3))
        return found

    def ctl(self, *words):
        return subprocess.run(
            [program("skaldctl"), "--server", f"127.0.0.1:{self.daemon.port}", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_WITHIN_S,
            check=False)

    def test_metrics_are_what_prometheus_expects(self):
        checked = subprocess.run([tool("promtool"), "check", "metrics"], input=self.text(),
                                 capture_output=True, text=True, timeout=COMMAND_WITHIN_S,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_labels_are_few_and_hold_no_ids(self):
        for metric, series in self.samples().items():
            for labels in series:
                for name, value in LABEL.findall(labels):
                    self.assertIn(name, LABELS, metric)
                    self.assertIsNone(SAGA_ID.search(value), f"{metric} {labels}")
                    self.assertNotIn("order-", value, f"{metric} {labels}")

    def test_what_happened_is_counted_where_it_happened(self):
        samples = self.samples()
        sagas = samples["skald_definition_sagas"]
        self.assertEqual(sagas['definition="stays",status="stuck"'], 1)
        self.assertEqual(sagas['definition="undone",status="compensated"'], 1)
        outcomes = samples["skald_step_outcomes_total"]
        place = 'step="pay",operation="action"'
        self.assertEqual(outcomes[f'definition="undone",{place},outcome="rejected"'], 1)
        self.assertEqual(outcomes[f'definition="stays",{place},outcome="unknown"'], 1)
        self.assertEqual(samples["skald_step_seconds_count"][f'definition="fine",{place}'], 1)

    def test_rules_and_dashboard_read_metrics_that_are_there(self):
        with open(RULES, encoding="utf-8") as file:
            rules = "".join(line for line in file if not line.startswith("#"))
        with open(DASHBOARD, encoding="utf-8") as file:
            dashboard = json.load(file)
        text = rules + json.dumps(dashboard)
        named = set(re.findall(r"\bskald_[a-z_]+", text))
        self.assertGreater(len(named), 20)
        self.assertEqual(named - set(self.samples()), set())

    def test_rules_are_rules(self):
        checked = subprocess.run([tool("promtool"), "check", "rules", RULES], capture_output=True,
                                 text=True, timeout=COMMAND_WITHIN_S, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_stats_are_text_for_people_and_json_for_programs(self):
        shown = self.ctl("stats")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertLessEqual(max(map(len, shown.stdout.splitlines())), 80, shown.stdout)
        for word in ("ready", "stays", "undone", "stuck longest", "STUCK", "PARTICIPANT"):
            self.assertIn(word, shown.stdout)
        stats = json.loads(self.ctl("stats", "-o", "json").stdout)
        self.assertIn({"definition": "stays", "status": "stuck", "sagas": "1"}, stats["counts"])
        self.assertEqual(len(stats["stuckCauses"]), 1)
        self.assertGreater(stats["commitMsMedian"], 0)
        cause = self.ctl("stats", "-o", "name").stdout.split()
        self.assertEqual(cause, [stats["stuckCauses"][0]["failure"]["cause"]])

    def test_top_in_a_pipe_says_it_once(self):
        shown = self.ctl("top")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("stuck longest", shown.stdout)
        self.assertNotIn("\x1b", shown.stdout)

    def test_top_in_a_terminal_is_left_by_q(self):
        if not can_open():
            self.skipTest("no terminals (/dev/pts)")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        child = subprocess.Popen(
            [program("skaldctl"), "--server", f"127.0.0.1:{self.daemon.port}", "top"],
            stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
        self.addCleanup(lambda: child.poll() is None and child.kill())
        os.close(theirs)
        seen = b""

        def read():
            nonlocal seen
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    seen += os.read(ours, 65536)
                except OSError:
                    pass
            return seen
        wait_until(lambda: read().count(b"PARTICIPANT") >= 2, "a second picture")
        os.write(ours, b"q")
        wait_until(lambda: (read(), child.poll())[1] is not None, "top to end")
        self.assertEqual(child.returncode, 0)
        self.assertTrue(read().rstrip().endswith(b"\x1b[?1049l"), seen[-80:])

    def test_completion_knows_the_ids_that_are_there(self):
        script = self.ctl("completion", "bash").stdout
        folder = os.path.dirname(program("skaldctl"))
        words = subprocess.run(
            ["bash", "-c", script + "\nCOMP_WORDS=(skaldctl explain ''); COMP_CWORD=2; _skaldctl;"
             " printf '%s\\n' \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, timeout=COMMAND_WITHIN_S, check=True,
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}",
                 "SKALD_SERVER": f"127.0.0.1:{self.daemon.port}"}).stdout.split()
        self.assertLessEqual(set(self.ids), set(words))
        for shell in ("zsh", "fish"):
            self.assertIn("list -o name --limit 20", self.ctl("completion", shell).stdout)

    def test_the_manual_pages_are_roff_without_a_warning(self):
        page = self.ctl("man").stdout
        for word in ("skaldctl", "explain", "alerts test", "EXIT STATUS"):
            self.assertIn(word.replace("-", "\\-"), page)
        daemon = subprocess.run([program("skaldd"), "--man"], capture_output=True, text=True,
                                timeout=COMMAND_WITHIN_S, check=True).stdout
        for roff in (page, daemon):
            checked = subprocess.run([tool("groff"), "-man", "-Tutf8", "-ww", "-z"], input=roff,
                                     capture_output=True, text=True, timeout=COMMAND_WITHIN_S,
                                     check=False)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))


if __name__ == "__main__":
    sys.exit(run_cases([Insight], names=sys.argv[1:]))
