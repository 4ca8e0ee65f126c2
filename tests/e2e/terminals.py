"""A terminal that nobody sits at: what a command shows there can be read, line by line."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests.e2e.conftest import COMMAND, LIMIT_SECONDS, User, wait_until

_CHANCE = (
    # What is another in each run, by something as long.
    (re.compile(r"demo-\d{8}t\d{6}z-[a-z2-7]{4}"), "demo-yyyymmddthhmmssz-xxxx"),
    (re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"), "GUID"),
    (
        re.compile(r"(?<=tvmps_)[0-9a-f]+(?:\.{3}[0-9a-f]+)?"),
        lambda found: re.sub("[0-9a-f]", "x", found[0]),
    ),
    (re.compile(r"took [\d.]+s; tasks ran for [\d.]+s"), "took #s; tasks ran for #s"),
)
# How fast and how long is another each time, and so is whether there is enough to say it.
_PACE = re.compile(
    r" {2,}(?:[\d.,]+ ?(?:[kMGT]?B)?/(?:s|min|h)|(?:\d+[dhms] ?)+left|–)(?=\s|$)"  # noqa: RUF001
)
_TIME = re.compile(r" (?:\d+[dhm] )?\d+s$")


class Terminal:
    """A command at work on a terminal of so many columns and rows."""

    def __init__(
        self, process: subprocess.Popen[bytes], master: int, size: tuple[int, int]
    ) -> None:
        self.process = process
        self.written = b""
        self._master = master
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.resize(*size)
        self._reader.start()

    def lines(self) -> list[str]:
        """What is seen, without the blank end."""
        with self._lock:
            lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def text(self) -> str:
        """The same with words in the place of what chance and speed decide."""
        return "".join(f"{_settled(line)}\n" for line in self.lines())

    def shows_cursor(self) -> bool:
        """Whether the cursor is seen."""
        with self._lock:
            return not self._screen.cursor.hidden

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size."""
        with self._lock:
            self._screen.resize(rows, columns)
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def wait_for(self, holds: Callable[[str], object], *, what: str) -> str:
        """Waits until the text is such; gives it."""
        try:
            wait_until(lambda: holds(self.text()), what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; what is seen:\n{self.text()}") from error
        return self.text()

    def end(self) -> int:
        """Waits for the end of the command, and of what it has written; its exit code."""
        code = self.process.wait(timeout=LIMIT_SECONDS)
        self._reader.join(timeout=LIMIT_SECONDS)
        return code

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # so it ends where nobody has the terminal any more
            while data := os.read(self._master, 65_536):
                with self._lock:
                    self.written += data
                    self._stream.feed(data)


@contextmanager
def open_terminal(
    user: User, *arguments: str, size: tuple[int, int] = (80, 24), **environ: str
) -> Iterator[Terminal]:
    """The command on a terminal of its own, ended with the block whatever happens."""
    master, slave = pty.openpty()
    kept: Mapping[str, str] = {
        name: value for name, value in user.environ.items() if name not in ("NO_COLOR", "COLUMNS")
    }
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = subprocess.Popen(
        [COMMAND, *arguments],
        cwd=user.folder,
        env={**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environ},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master, size)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(master)


def compare_screen(terminal: Terminal, kept: Path) -> None:
    """The screen is, or gets, as the file has it; `BATCH_RUN_SCREENS=write` writes it anew.

    What is drawn comes in pieces, so that any moment may see half of it.
    """
    if os.environ.get("BATCH_RUN_SCREENS") == "write":
        kept.write_text(terminal.text())
    expected = kept.read_text()
    try:
        wait_until(lambda: terminal.text() == expected, what=f"the screen of {kept.name}")
    except AssertionError:
        assert terminal.text() == expected  # which shows what differs


def _settled(line: str) -> str:
    for pattern, word in _CHANCE:
        line = pattern.sub(word, line)
    line = _PACE.sub(lambda found: " " * len(found[0]), line)
    return _TIME.sub(lambda found: " #s".rjust(len(found[0])), line).rstrip()
