#!/usr/bin/env python3
"""Checks what the compiler cannot: layering, sizes, names, bans, and that READMEs name real files.

Reads the tracked files (and new ones that git does not ignore) and prints
`path:line: rule: sentence`. A line is exempt when it, or the line above it, says
`// tidy: allow(rule) why` (or `# tidy: ...`); a rule about a whole file is exempted in its first
five lines. Rules and their tests: tidy_test.py.
"""

import re
import subprocess
import sys
from pathlib import PurePosixPath

LAYERS = "tools/tidy/layers.txt"
FILE_LINES_MAX = 500
README_LINES_MAX = 60
COLUMNS_MAX = 100
CPP = (".h", ".cc")
CODE = CPP + (".proto", ".py", ".sh", ".cmake")
BANNED_NAMES = {"util", "utils", "helper", "helpers", "manager", "common", "misc", "impl"}
TOP_LEVEL = {"engine", "sagas", "participants", "proto", "tools", "tests", ".ci"}

# Headers from outside and the folders that may include them.
EXTERNAL = {
    "spdlog/": ["engine/base/log.cc"],
    "rocksdb/": ["engine/store/", "participants/", "tools/", "tests/"],
    "boost/asio": ["engine/async/", "engine/net/", "engine/runtime/", "engine/transport/",
                   "engine/api/", "engine/server/", "participants/", "tools/", "tests/"],
    "boost/beast": ["engine/net/", "tests/"],
    "google/protobuf/": ["engine/wire/", "engine/dsl/", "engine/transport/", "engine/api/",
                         "sagas/", "participants/", "tools/", "tests/"],
    "yaml-cpp/": ["engine/server/", "tools/"],
}
# Core and shard decide; they touch nothing that could answer differently the second time.
PURE = ("engine/core/", "engine/shard/")
PURE_HEADERS = re.compile(
    r"<(boost/(asio|beast).*|thread|mutex|shared_mutex|condition_variable|atomic|future|stop_token"
    r"|random|iostream|fstream|filesystem|coroutine|unistd\.h|sys/.*|google/protobuf/.*)>"
    r'|".*\.pb\.h"')
PURE_WORDS = re.compile(
    r"\bco_(await|return|yield)\b|::now\(|\b(system|steady|high_resolution)_clock\b"
    r"|\b(std::rand|random_device|getenv|time\s*\(\s*(nullptr|NULL|0)\s*\))"
    r"|\bcatch\s*\(")

# Spelled in pieces so that this file passes its own checks.
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(wo" r"rk|ro" r"ot)/")
SLEEP = re.compile(
    r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep)\b|(?<![\w:.])sleep\s*\(")
SLEEP_SHELL = re.compile(r"(^|[;&|]|\bdo\b|\bthen\b)\s*sleep\s+[\d.$]")
DETACHED = re.compile(r"\bdetached\b|\.detach\(\)")
COROUTINE_LAMBDA = re.compile(
    r"\[[^\]\s][^\]]*\]\s*\([^()]*\)\s*(mutable)?\s*->\s*[\w:]*awaitable\b")
TEST_NAME = re.compile(r"\bTEST(_F|_P)?\(\s*(\w*_\w*\s*,|\w+\s*,\s*(?!DISABLED_)\w*_\w*\s*\))")
TEST_DISABLED = re.compile(r"\bTEST(_F|_P)?\(.*\bDISABLED_|\bGTEST_SKIP\b")
TEST_HOOK = re.compile(r"\w*(_for_test|ForTest|FRIEND_TEST|friend_test)\w*")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ALLOW = re.compile(r"tidy: allow\(([a-z-]+)\)\s+\S")


class Layers:
    """layers.txt: folder of each room and the rooms it may use."""

    def __init__(self, text):
        self.folder_of = {}
        self.uses_of = {}
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            name, uses = (part.strip() for part in line.split(":"))
            folder = name if "/" in name else f"engine/{name}/"
            name = PurePosixPath(name).name
            self.folder_of[name] = folder
            self.uses_of[name] = uses.split()

    def room_of(self, path):
        for name, folder in self.folder_of.items():
            if path.startswith(folder):
                return name
        return None

    def allows(self, user, used):
        return user == used or "*" in self.uses_of[user] or used in self.uses_of[user]

    def mistakes(self):
        """Unknown names, and rooms that reach themselves."""
        for room, uses in self.uses_of.items():
            for used in uses:
                if used != "*" and used not in self.uses_of:
                    yield f"{room} may use {used}, which is no room"
            if room in self._reach(room):
                yield f"{room} reaches itself: the rooms must form shelves"

    def _reach(self, room):
        seen, todo = set(), list(self.uses_of[room])
        while todo:
            used = todo.pop()
            if used not in seen and used in self.uses_of:
                seen.add(used)
                todo += self.uses_of[used]
        return seen


class Tidy:
    """Checks `files` (path to text). `found` lists (path, line number, rule, sentence)."""

    def __init__(self, files):
        self.files = files
        self.found = []
        self.layers = Layers(files.get(LAYERS, ""))

    def run(self):
        for mistake in self.layers.mistakes():
            self.found.append((LAYERS, 1, "layers", mistake))
        for path, text in sorted(self.files.items()):
            lines = text.split("\n")
            if lines and lines[-1] == "":
                lines.pop()
            self.check_file(path, lines)
        return self.found

    def report(self, path, lines, number, rule, sentence):
        """Notes a finding unless its line is excused; number 0 means the whole file."""
        near = lines[:5] if number == 0 else lines[max(0, number - 2):number]
        if not any(m.group(1) == rule for line in near for m in ALLOW.finditer(line)):
            self.found.append((path, max(number, 1), rule, sentence))

    def check_file(self, path, lines):
        def report(number, rule, sentence):
            self.report(path, lines, number, rule, sentence)

        pure_path = PurePosixPath(path)
        if pure_path.name.split(".")[0] in BANNED_NAMES:
            report(0, "file-name", "the name says nothing; say what the file holds")
        if pure_path.name == "README.md":
            self.check_readme(path, lines, report)
        for number, line in enumerate(lines, 1):
            if LEFTOVER.search(line):
                report(number, "leftover", "finish it, or take it out")
            if MACHINE_PATH.search(line):
                report(number, "machine-path", "a path of one machine")
        is_script = not pure_path.suffix and lines and lines[0].startswith("#!")
        if pure_path.suffix in CODE or pure_path.name == "CMakeLists.txt" or is_script:
            self.check_code(path, lines, report)

    def check_code(self, path, lines, report):
        if len(lines) > FILE_LINES_MAX:
            report(0, "file-size", f"{len(lines)} lines, at most {FILE_LINES_MAX}: split it")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                report(number, "line-length", f"{len(line)} columns, at most {COLUMNS_MAX}")
            if path.startswith("tests/") and not path.endswith(CPP):
                if SLEEP.search(line) or SLEEP_SHELL.search(line):
                    report(number, "sleep", "wait for a fact, with a bound")
        if path.endswith(".proto"):
            self.check_proto(path, lines, report)
        if path.endswith(CPP):
            self.check_cpp(path, lines, report)

    def check_proto(self, path, lines, report):
        for number, line in enumerate(lines, 1):
            if not line.startswith("import"):
                continue
            forbidden = '"skald/' if path.startswith("proto/stored/") else '"stored/'
            if forbidden in line:
                report(number, "stored-api", "stored and API messages do not import each other")

    def check_cpp(self, path, lines, report):
        if path.endswith(".h"):
            if "#pragma once" not in lines:
                report(0, "pragma-once", "the header lacks #pragma once")
            if not lines or not lines[0].startswith("//"):
                report(0, "header-comment", "open with what lives here and what does not")
        first = next((INCLUDE.match(line).group(2) for line in lines if INCLUDE.match(line)), "")
        own = path.removesuffix(".cc") + ".h"
        if path.endswith(".cc") and own in self.files and first != own:
            report(0, "own-header", f"include {own} first: that proves that it compiles alone")
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include:
                self.check_include(path, include.group(2), number, report)
                if path.startswith(PURE) and PURE_HEADERS.search(line):
                    report(number, "pure", "core and shard do no I/O, threads, clocks or protobuf")
                continue
            self.check_words(path, without_comment(line), number, report)

    def check_include(self, path, included, number, report):
        user, used = self.layers.room_of(path), self.layers.room_of(included)
        if user and used and not self.layers.allows(user, used):
            report(number, "layers", f"{user} may not include {used}; see {LAYERS}")
        if included.startswith("engine/") and included not in self.files:
            report(number, "include", f"{included} does not exist")
        for prefix, folders in EXTERNAL.items():
            if included.startswith(prefix) and not path.startswith(tuple(folders)):
                report(number, "external", f"{prefix} belongs to {', '.join(folders)}")

    def check_words(self, path, line, number, report):
        if path.startswith(PURE) and PURE_WORDS.search(line):
            report(number, "pure", "core and shard neither wait, catch nor look at the world")
        if DETACHED.search(line):
            report(number, "detached", "somebody owns every task: use TaskGroup or a joined thread")
        if COROUTINE_LAMBDA.search(line):
            report(number, "coroutine-lambda", "a capturing lambda is no coroutine (CP.51)")
        if path.startswith(("engine/", "sagas/", "participants/")) and TEST_HOOK.search(line):
            report(number, "test-hook", "no product code exists for tests only")
        if path.startswith("tests/"):
            if SLEEP.search(line):
                report(number, "sleep", "wait for a fact, with a bound")
            if TEST_NAME.search(line):
                report(number, "test-name", "gtest names have no underscores")
            if TEST_DISABLED.search(line):
                report(number, "test-off", "a test that does not run proves nothing")

    def check_readme(self, path, lines, report):
        if "/" in path and len(lines) > README_LINES_MAX:
            report(0, "readme-size", f"{len(lines)} lines, at most {README_LINES_MAX}")
        fenced = False
        for number, line in enumerate(lines, 1):
            if line.startswith("```"):
                fenced = not fenced
            for words in [] if fenced else re.findall(r"`([^`]+)`", line):
                word = words.split()[0] if words.split() else ""
                if self.names_no_file(path, word):
                    report(number, "readme-path", f"`{word}` does not exist")

    def names_no_file(self, readme, word):
        """True when `word` looks like a path of this repository and there is none."""
        if not re.fullmatch(r"[\w.*/-]+", word) or word.startswith(("/", "*", "build/", "-", "..")):
            return False
        word = word.removeprefix("./")
        is_path = "/" in word and word.split("/")[0] in TOP_LEVEL
        is_file = word.endswith(CODE + (".md", ".txt")) and ".pb." not in word
        if not (is_path or is_file):
            return False
        here = str(PurePosixPath(readme).parent)
        wanted = word.rstrip("/")
        # From the root, from the usual places, or a file's name alone, below the README's folder.
        places = [re.escape(str(PurePosixPath(base) / wanted)) for base in ("", "engine", "proto")]
        below = "" if here == "." else re.escape(here) + "/"
        places.append(f"{below}(.*/)?{re.escape(wanted)}")
        pattern = re.compile("(" + "|".join(places).replace(r"\*", "[^/]*") + ")(/.*)?")
        return not any(pattern.fullmatch(path) for path in self.files)


def without_comment(line):
    """The line without its // comment; a // inside quotes (a URL) stays."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|//.*', lambda m: m.group(1) or "", line)


def repository_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    files = {}
    for path in filter(None, listed.split("\0")):
        try:
            with open(path, encoding="utf-8") as file:
                files[path] = file.read()
        except UnicodeDecodeError:
            files[path] = ""  # binary: it exists, and has no lines
        except (FileNotFoundError, IsADirectoryError):
            continue
    return files


def main():
    files = repository_files()
    found = Tidy(files).run()
    for path, number, rule, sentence in found:
        print(f"{path}:{number}: {rule}: {sentence}")
    print(f"tidy: {len(found)} findings in {len(files)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
