"""A real terminal for programs that look different in one: a tmux of our own, one window, as wide
as asked. What it shows is read back as people see it, with or without colours."""

import os
import shutil
import subprocess
import tempfile

from processes import wait_until

DONE = "%done%"


def can_open():
    """Whether this machine has tmux and terminals to give: a chroot without /dev/pts has none."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return shutil.which("tmux") is not None


class Terminal:
    def __init__(self, columns=80, lines=200, environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="skald-terminal-")
        self.socket = os.path.join(self.folder.name, "tmux")
        quiet = {name: value for name, value in os.environ.items()
                 if name not in ("TMUX", "NO_COLOR")}
        self.environment = {**quiet, "LC_ALL": "C.UTF-8", "PS1": "", **(environment or {})}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines),
                   "bash --norc --noprofile")
        self._type("stty -echo; PS1=''; clear")
        self._end()
        self.clear()

    def close(self):
        self._tmux("kill-server")
        self.folder.cleanup()

    def run(self, command):
        """What the command leaves on the screen, once it is over."""
        self.begin(command)
        return self.end()

    def begin(self, command):
        """For commands that ask: answer with keys(), then end()."""
        self.clear()
        self._type(command)

    def end(self):
        self._end()
        return self.text()

    def keys(self, *keys):
        """Keys as tmux names them: "y", "Enter", "C-c"."""
        self._tmux("send-keys", *keys)

    def wait_for(self, text):
        wait_until(lambda: text in self.screen(), f"{text!r} on the screen")

    def screen(self, colours=False):
        shown = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return shown.rstrip("\n")

    def text(self, colours=False):
        return self.screen(colours).replace(DONE, "").rstrip()

    def clear(self):
        self._tmux("send-keys", "C-l")
        self._type("clear")
        wait_until(lambda: not self.screen().strip(), "an empty screen")

    def _end(self):
        # The sign is put together by the shell, so that it cannot be read before that.
        self._type(f"printf '%s%s\\n' {DONE[:3]} {DONE[3:]}")
        self.wait_for(DONE)

    def _type(self, line):
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def _tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], env=self.environment,
                              capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise OSError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout
