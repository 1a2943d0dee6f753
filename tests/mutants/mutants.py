"""Plants one bug after another beside the tree and runs the checks that should catch it. See
tests/mutants/README.md; tests/mutants/run is the entry.

The tree and its build stay as they are: the patched file is compiled to an object of its own by the
build's command, and each check is linked again with that object before the libraries, so that it
takes the place of the one in them. A mutant costs one compilation and a link for each check."""

import argparse
import functools
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "release")
SCRATCH = os.path.join(ROOT, "build", "mutants")
CHECK_WITHIN_S = 180
SHORT = 2


class Broken(Exception):
    """The mutant itself is of no use: it does not apply, or does not build."""


class Mutant:
    """One patch: `breaks:` a sentence, and `check:` lines, each a program of the build and its
    arguments, the cheapest first."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path).removesuffix(".patch")
        self.folder = os.path.join(SCRATCH, self.name)
        self.log = os.path.join(SCRATCH, f"{self.name}.log")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        said = re.findall(r"^(breaks|check): (.+)$", text.split("\n--- ")[0], re.MULTILINE)
        self.breaks = [words for name, words in said if name == "breaks"]
        self.checks = [words for name, words in said if name == "check"]
        self.files = re.findall(r"^--- a/(.+)$", text, re.MULTILINE)

    def plant(self, folder):
        """Patches copies of its files, in that folder. Raises Broken."""
        if not self.breaks or not self.checks:
            raise Broken("it does not say what it breaks or who checks it")
        shutil.rmtree(folder, ignore_errors=True)
        for name in self.files:
            if not name.endswith(".cc"):
                raise Broken(f"{name} is no .cc file: what includes it is not compiled again")
            if not os.path.exists(os.path.join(ROOT, name)):
                raise Broken(f"{name} is gone")
            copy = os.path.join(folder, name)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), copy)
        # The folder is no repository of its own, so that the paths mean what they say.
        done = subprocess.run(["git", "apply", "-C1", self.path], cwd=folder, text=True,
                              capture_output=True, check=False,
                              env={**os.environ, "GIT_CEILING_DIRECTORIES": SCRATCH})
        if done.returncode != 0:
            raise Broken(f"it does not apply: {done.stderr.strip()}")


class Toolchain:
    """The commands of build/release."""

    def __init__(self):
        with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
            self.compile = {os.path.relpath(entry["file"], ROOT): entry["command"]
                            for entry in json.load(file)}

    def objects(self, mutant):
        """Its files, compiled. Raises Broken."""
        made = []
        for name in mutant.files:
            source = os.path.join(mutant.folder, name)
            command = self.compile[name].replace(f" -c {os.path.join(ROOT, name)}", f" -c {source}")
            command = re.sub(r" -o \S+", f" -o {source}.o", command)
            if run(command, mutant.log) != 0:
                raise Broken(f"it does not compile; see {mutant.log}")
            made.append(f"{source}.o")
        return made

    def program(self, mutant, objects, check):
        """The check's program with these objects in it. Raises Broken."""
        name = check.split()[0]
        link = link_command(name)
        target = os.path.join(mutant.folder, name)
        command = re.sub(r" -o \S+", " " + " ".join([*objects, "-o", target]), link, count=1)
        if run(command, mutant.log) != 0:
            raise Broken(f"{name} does not link; see {mutant.log}")
        return target


def link_command(program):
    listed = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", program],
                            capture_output=True, text=True, check=True).stdout
    return listed.strip().splitlines()[-1]


def path_of(program):
    """Where the build has put it."""
    return os.path.join(BUILD, re.search(r" -o (\S+)", link_command(program)).group(1))


def run(command, log, within=None):
    """Its exit code; 124 where it does not end in time."""
    environment = {**os.environ, "SKALD_SOURCE_DIR": ROOT, "SKALD_BINARY_DIR": BUILD}
    with open(log, "ab") as file:
        try:
            return subprocess.run(command, shell=isinstance(command, str), cwd=BUILD,
                                  stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                  timeout=within, check=False, env=environment).returncode
        except subprocess.TimeoutExpired:
            return 124


def say(text):
    print(text, flush=True)


def stale(mutants):
    """Who cannot be planted any more, and why; and whose number another one has."""
    found = []
    numbers = [mutant.name.split("-")[0] for mutant in mutants]
    found += [f"two have the number {number}"
              for number in sorted(set(numbers)) if numbers.count(number) > 1]
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:  # another run may be at work
        for mutant in mutants:
            try:
                mutant.plant(folder)
            except Broken as why:
                found.append(f"{mutant.name}: {why}")
    return found


@functools.cache
def passes_without_a_bug(check):
    """A check that is red on the tree as it is proves nothing."""
    program, *arguments = check.split()
    log = os.path.join(SCRATCH, "unbroken.log")
    return run([path_of(program), *arguments], log, CHECK_WITHIN_S) == 0


def attempt(tools, mutant):
    """(caught by, seconds of that check); (None, 0) where nothing catches it. Raises Broken."""
    mutant.plant(mutant.folder)
    objects = tools.objects(mutant)
    for check in mutant.checks:
        program = tools.program(mutant, objects, check)
        began = time.monotonic()
        if run([program, *check.split()[1:]], mutant.log, CHECK_WITHIN_S) != 0:
            seconds = time.monotonic() - began
            if not passes_without_a_bug(check):
                raise Broken(f"{check} fails without any bug")
            return check, seconds
        os.remove(program)
    return None, 0


def try_all(mutants):
    """Prints the table. What is wrong."""
    tools = Toolchain()
    wrong = []
    say(f"{'mutant':32} {'check':>8} {'in all':>8}  caught by")
    for mutant in mutants:
        began = time.monotonic()
        try:
            caught_by, seconds = attempt(tools, mutant)
        except Broken as why:
            caught_by, seconds = None, 0
            wrong.append(f"{mutant.name}: {why}")
            verdict = "of no use"
        else:
            verdict = caught_by or "SURVIVES"
            if not caught_by:
                wrong.append(f"{mutant.name} survives: {mutant.breaks[0]}")
        say(f"{mutant.name:32} {seconds:6.2f} s {time.monotonic() - began:6.1f} s  {verdict}")
        shutil.rmtree(mutant.folder, ignore_errors=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true",
                        help=f"{SHORT} at random, after seeing that all apply")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--programs", action="store_true", help="print what the checks run")
    parser.add_argument("names", nargs="*", help="those whose names contain one of these")
    options = parser.parse_args()
    everyone = [Mutant(path) for path in sorted(glob.glob(os.path.join(HERE, "*.patch")))]
    chosen = [mutant for mutant in everyone
              if not options.names or any(name in mutant.name for name in options.names)]
    if options.short:
        chosen = random.Random(options.seed).sample(chosen, min(SHORT, len(chosen)))
    if options.programs:
        print("\n".join(sorted({c.split()[0] for mutant in chosen for c in mutant.checks})))
        return 0
    if not chosen:
        sys.exit("mutants: none has such a name")
    os.makedirs(SCRATCH, exist_ok=True)
    wrong = stale(everyone)
    say(f"{len(everyone) - len(wrong)} of {len(everyone)} patches apply"
        + (f"; {len(chosen)} of them by --seed {options.seed}" if options.short else ""))
    caught = 0
    if not wrong:
        wrong = try_all(chosen)
        caught = len(chosen) - len(wrong)
    for sentence in wrong:
        say(f"WRONG {sentence}")
    say(f"{caught}/{len(chosen)} caught")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
