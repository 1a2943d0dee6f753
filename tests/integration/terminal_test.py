#!/usr/bin/env python3
"""skaldctl in a real terminal of 80 columns: nothing is wider, colours are there and can be turned
off, prompts ask and take no for an answer, and Ctrl-C ends what waits.

    terminal_test.py [name...]     only tests whose name contains one of the names
"""

import os
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from fault_proxy import FaultProxy, connect_error
from inline import call_step, definition, pivot_step
from mall import Daemon, program
from mall_case import run_cases
from processes import wait_until
from terminal import Terminal, can_open

COLUMNS = 80


class InATerminal(unittest.TestCase):
    daemon: Daemon

    @classmethod
    def setUpClass(cls):
        cls.engine = cls.daemon.engine
        cls.shop = FaultProxy("shop")
        cls.addClassCleanup(cls.shop.close)
        cls.shop.on("charge_the_customers_card/action", connect_error(
            422, "failed_precondition", "the card has expired"))
        cls.shop.on("reserve_the_warehouse_slot/compensation", connect_error(
            422, "failed_precondition", "slot 4711 is locked by a stock-taking that has been going "
            "on since last week and that nobody has finished yet"))
        made = definition("an_order_with_a_rather_long_name_of_its_own",
                          call_step(cls.shop, "reserve_the_warehouse_slot"),
                          pivot_step(cls.shop, "charge_the_customers_card"))
        cls.saga = cls.engine.submit(inlineDefinition=made, wait="accepted",
                                     businessKey="order-2026-11-25-0000000042")["sagaId"]
        wait_until(lambda: cls.engine.get(sagaId=cls.saga)["status"] == "stuck", "a stuck saga")

    def setUp(self):
        self.terminal = Terminal(COLUMNS, environment={
            "PATH": os.path.dirname(program("skaldctl")) + ":" + os.environ["PATH"],
            "SKALD_SERVER": f"127.0.0.1:{self.daemon.port}", "USER": "ann"})
        self.addCleanup(self.terminal.close)

    READS = ("list", "stuck", "stuck --by step", "participants", "definitions list",
             "definitions show create_order", "version", "--help", "list --help")

    def test_whatever_is_read_fits_eighty_columns(self):
        # A line that is too wide would be broken by the terminal, not by us.
        wide = Terminal(4 * COLUMNS, environment=self.terminal.environment)
        self.addCleanup(wide.close)
        for verb in (*self.READS, *(f"{verb} {self.saga}" for verb in
                                    ("show", "timeline", "explain", "history", "wait"))):
            with self.subTest(verb=verb):
                text = wide.run(f"(stty cols {COLUMNS}; skaldctl {verb})")
                self.assertTrue(text.strip())
                # A command to copy is one line, however long.
                lines = [line for line in text.splitlines() if not line.strip().startswith("skald")]
                longest = max(lines, key=len)
                self.assertLessEqual(len(longest), COLUMNS, longest)

    def test_colours_are_for_terminals_that_want_them(self):
        self.terminal.run(f"skaldctl show {self.saga}")
        self.assertIn("\x1b[3", self.terminal.text(colours=True))
        self.terminal.run(f"NO_COLOR=1 skaldctl show {self.saga}")
        self.assertNotIn("\x1b[3", self.terminal.text(colours=True))
        self.terminal.run(f"skaldctl show {self.saga} | cat")
        self.assertNotIn("\x1b[3", self.terminal.text(colours=True))

    def test_a_prompt_shows_what_it_is_about_and_takes_no_for_an_answer(self):
        before = self.engine.get(sagaId=self.saga)["status"]
        self.terminal.begin(f"skaldctl abandon {self.saga} --reason 'the order is void'")
        self.terminal.wait_for("[y/N]")
        shown = self.terminal.screen()
        self.assertIn(self.saga, shown)
        self.assertIn("reserve_the_warehouse_slot", shown)
        self.terminal.keys("n", "Enter")
        self.assertIn("nothing was done", self.terminal.end())
        self.assertEqual(self.engine.get(sagaId=self.saga)["status"], before)

    def test_a_pipe_is_never_asked(self):
        text = self.terminal.run(f"true | skaldctl abandon {self.saga} --reason r; echo exit $?")
        self.assertIn("give --yes", text)
        self.assertIn("exit 6", text)

    def test_control_c_ends_what_waits(self):
        made = definition("waits", {"name": "wait", "wait": {"timeoutMs": 600_000, "signal": "go"}})
        saga = self.engine.submit(inlineDefinition=made, wait="accepted")["sagaId"]
        self.terminal.begin(f"skaldctl wait {saga} --timeout 60s; echo over")
        self.terminal.keys("C-c")
        self.terminal.run("true")
        self.assertEqual(self.engine.get(sagaId=saga)["status"], "running")

    def test_a_long_error_is_wrapped_here_and_one_line_in_a_pipe(self):
        wrong = "skaldctl list --status happy"
        self.assertGreater(len(self.terminal.run(wrong).splitlines()), 1)
        self.terminal.run(f"{wrong} 2>&1 | wc -l > {self.terminal.folder.name}/lines")
        with open(f"{self.terminal.folder.name}/lines", encoding="ascii") as lines:
            self.assertEqual(lines.read().strip(), "1")


def main():
    if not can_open():
        print("skipped: no tmux, or no terminals (/dev/pts)")
        return 77
    folder = tempfile.mkdtemp(prefix="skald-terminal-test-")
    InATerminal.daemon = Daemon(folder)
    InATerminal.daemon.process.start()
    try:
        return run_cases([InATerminal], InATerminal.daemon.process.log_tail, sys.argv[1:])
    finally:
        InATerminal.daemon.process.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
