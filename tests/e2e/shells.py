"""Shells on a terminal, in which keys are pressed until the line says what was expected.

It must not know what is completed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_LIMIT_SECONDS = 60.0
_SHOW = "\x1b[99~"  # a key that no keyboard has
_TAKE_TERMINAL = """import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])"""
"""A terminal that is merely open is not enough for fish, which controls jobs."""
_START = {
    "bash": (
        "--norc",
        "--noprofile",
        "-i",
    ),
    "zsh": ("-f", "-i"),
    "fish": ("--no-config", "-i"),
}
_BIND = {
    "bash": r"""show() { printf '%s' "$READLINE_LINE" > line.new; mv line.new line; }
bind -x '"\e[99~": show'
eval "$(batch-run completion bash)"
""",
    "zsh": r"""autoload -U compinit; compinit -u -d "$PWD/.zcompdump"
show() { print -rn -- "$BUFFER" > line.new; mv line.new line }
zle -N show; bindkey '^[[99~' show
source <(batch-run completion zsh)
""",
    "fish": r"""function show; commandline | string collect > line.new; mv line.new line; end
bind \e\[99~ show
batch-run completion fish | source
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A shell that waits for keys, in a folder in which it writes its line when it is asked."""

    name: str
    folder: Path
    terminal: int

    def complete(self, line: str) -> str:
        """What the line is after the key that completes it; the line is cleared then."""
        shown = self.folder / "line"
        shown.unlink(missing_ok=True)
        os.write(self.terminal, f"{line}\t".encode())
        os.write(self.terminal, _SHOW.encode())
        self._wait_for(shown)
        os.write(self.terminal, b"\x05\x15")
        return shown.read_text().rstrip("\n")

    def _wait_for(self, path: Path) -> None:
        """Reads what the shell shows, which would wait for a reader, until the file is there."""
        seen = b""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while not path.exists():
            assert time.monotonic() < deadline, seen.decode(errors="replace")
            if select.select([self.terminal], [], [], 0.02)[0]:
                try:
                    seen += os.read(self.terminal, 65536)
                except OSError as error:
                    raise AssertionError(seen.decode(errors="replace")) from error
                if b"\x1b[c" in seen or b"\x1b[0c" in seen:  # what kind of terminal is it?
                    os.write(self.terminal, b"\x1b[?1;2c")
                    seen = b""


@contextmanager
def open_shell(name: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Shell]:
    """A shell with completion of `batch-run`; skips the test where it is not installed."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    setup = folder / "setup"
    setup.write_text(_BIND[name] + "printf ready > ready.new; mv ready.new ready\n")
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, program, *_START[name]],
        cwd=folder,
        env={**environ, "HOME": str(folder), "TERM": "xterm", "PS1": "", "INPUTRC": "/dev/null"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shell = Shell(name=name, folder=folder, terminal=ours)
    try:
        os.write(ours, b" . ./setup\n")
        shell._wait_for(folder / "ready")
        yield shell
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
