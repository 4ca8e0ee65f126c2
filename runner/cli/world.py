"""The world as the commands see it: streams, environment, folder, clock.

Only `main` makes one from the process; tests make their own.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import TextIO

from runner.cli.keyboard import Answers
from runner.errors import BatchRunError, describe_os_error
from runner.run.clock import Clock
from runner.run.records.redaction import Redaction
from runner.spec.problem import SpecRefusedError


@dataclass(slots=True, kw_only=True)
class World:
    """Data goes to `stdout` as bytes, words for people to `stderr`."""

    environ: Mapping[str, str]
    working_directory: Path
    stdout: RawIOBase
    stderr: TextIO
    clock: Clock
    stdin: Answers | None = None
    """Where answers come from; None where nobody is asked."""
    output_problem: str | None = field(default=None, init=False)
    """Why data could not be written, where that is worth a word."""
    redaction: Redaction = field(default_factory=Redaction)
    """What must not be in anything that is written, whatever has brought it there."""
    _closed: bool = field(default=False, init=False)

    @property
    def has_reader(self) -> bool:
        """Whether data still gets to where it is wanted."""
        return not self._closed

    def look_for_reader(self) -> bool:
        """As `has_reader`, also where nothing was written since the reader has gone away."""
        import select

        if self._closed or not hasattr(select, "poll"):  # Windows has none
            return not self._closed
        try:
            looking = select.poll()
            looking.register(self.stdout.fileno(), 0)
            # Of a pipe that nobody reads any more, whatever one asks for.
            self._closed = any(found & select.POLLERR for _, found in looking.poll(0))
        except OSError:  # no descriptor, or one that cannot be asked
            return True
        return not self._closed

    def write(self, data: bytes, *, is_clean: bool = False) -> None:
        """Writes data; a reader that has gone away (`| head`), or a full disk, stops no run.

        Of what `is_clean` secrets were taken before it was put together: it is left as it is.
        """
        if self._closed:
            return
        try:
            # The stream is raw: a write may take only a part.
            left = memoryview(data if is_clean else self.redaction.content(data))
            while left:
                left = left[self.stdout.write(left) :]
        except OSError as error:
            self._closed = True
            if not isinstance(error, BrokenPipeError):
                # `>&-`: what stands in its place can only be read (`main`).
                is_closed = error.errno == errno.EBADF
                reason = "it is closed" if is_closed else describe_os_error(error)
                self.output_problem = f"cannot write to standard output: {reason}"

    def print(self, text: str) -> None:
        """Writes one line of data."""
        self.write(f"{text}\n".encode("utf-8", "backslashreplace"))

    def print_json(self, value: object) -> None:
        """Writes one line of data, a JSON document."""
        import json

        self.print(json.dumps(value, ensure_ascii=False))

    def say(self, text: str) -> None:
        """One line for people; a terminal that has gone away stops no run."""
        with contextlib.suppress(OSError, ValueError):
            self.stderr.write(f"{self.redaction.text(text)}\n")
            self.stderr.flush()

    def shown(self, path: Path) -> str:
        """A path as the user may type it: relative to where they are, if it is below."""
        here = self.working_directory
        return str(path.relative_to(here) if path.is_relative_to(here) else path)

    def has_someone(self) -> bool:
        """Whether somebody sits there who sees a question and can answer it."""
        return self.stdin is not None and self.stdin.isatty() and self.stderr.isatty()

    def ask(self, question: str) -> str | None:
        """The line that is typed behind the question, None where the input has ended.

        Raises `InterruptedRunError` on Ctrl-C.
        """
        assert self.stdin is not None
        try:
            self.stderr.write(question)
            self.stderr.flush()
            line = self.stdin.readline()
        except OSError:  # the terminal has gone away
            line = ""
        except BaseException:
            self.say("")  # the question's line has not ended
            raise
        if not line:
            self.say("")
            return None
        return line.rstrip("\r\n")

    def ask_secretly(self, question: str) -> str | None:
        """As `ask`, without showing what is typed."""
        assert self.stdin is not None
        with self.stdin.hidden():
            answer = self.ask(question)
        self.say("")  # the end of the line was not shown either
        return answer

    def show_error(self, error: BatchRunError) -> None:
        """The error's line, and what to do about it; the line of the spec, where it is of one."""
        if isinstance(error, SpecRefusedError):
            from runner.spec.messages import render_problem

            self.say(render_problem(error.problem))
            return
        self.say(f"batch-run: {error.message}")
        if error.hint is not None:
            self.say(f"  hint: {error.hint}")
