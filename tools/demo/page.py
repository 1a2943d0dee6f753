"""What the reader of a demo sees: titles, commands as they are typed, promises that are checked."""

import os
import subprocess
import sys

from mall import program

COLUMNS = 96


class Page:
    def __init__(self):
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.broken = []

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colours else text

    def title(self, number, text):
        line = f"── {number} ── {text} "
        print("\n" + self.paint("1;36", line + "─" * max(0, COLUMNS - len(line))), flush=True)

    def say(self, text=""):
        print(text, flush=True)

    def command(self, text):
        print("  " + self.paint("2", "$ ") + self.paint("1", text), flush=True)

    def promise(self, holds, text):
        """One line that says what was promised, and whether it is so."""
        mark = self.paint("32", "✔") if holds else self.paint("1;31", "✘ NOT SO:")
        print(f"  {mark} {text}", flush=True)
        if not holds:
            self.broken.append(text)

    def verdict(self):
        """The last lines; whether every promise was kept."""
        if not self.broken:
            self.say("\nEverything was as promised.")
            return True
        self.say(f"\n{len(self.broken)} promises were not kept:")
        for text in self.broken:
            self.say(f"  ✘ {text}")
        return False


class Skaldctl:
    """Types commands as an operator does, and shows what they print."""

    def __init__(self, page, port, actor):
        self.page, self.port, self.actor = page, port, actor

    def __call__(self, *words, expect=0, shown=None):
        """Runs it before the reader's eyes; answers what it printed. `shown`: how it is typed."""
        self.page.command("skaldctl " + (shown or " ".join(map(quoted, words))))
        done = self.run(*words)
        text = done.stdout + done.stderr
        for line in text.rstrip("\n").splitlines():
            print("  " + line, flush=True)
        if done.returncode != expect:
            self.page.promise(False, f"skaldctl ends with {expect}, not {done.returncode}")
        return text

    def run(self, *words):
        return subprocess.run(
            [program("skaldctl"), "--server", f"http://127.0.0.1:{self.port}",
             "--actor", self.actor, *words],
            capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8"})


def quoted(word):
    plain = all(c.isalnum() or c in "-_./:,=@[]" for c in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"
