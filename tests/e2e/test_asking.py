"""Somebody at a real terminal is asked for parameters; nobody else is."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.conftest import COMMAND, User

UNANSWERED = [
    ("missing-parameter", f"`{name}` has no default, and no value is given")
    for name in ("greeting", "times")
]
SPEC = """\
version: 1
name: greet
parameters:
  greeting: {type: string, allowed: [hello, salut], description: how to greet}
  times: {type: integer, min: 1, max: 3}
containers:
  input: {upload: [{from: names}]}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  command: echo {{ parameters.greeting }} {{ parameters.times }} "$(cat {{ file.path }})"
  print: stdout
"""
# In a session whose terminal standard input is, so that Ctrl-C reaches the command.
AT_TERMINAL = """\
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
LIMIT_SECONDS = 60.0
LOOK_SECONDS = 0.1
CTRL_C, CTRL_D = "\x03", "\x04"


@dataclass
class Terminal:
    """The command on a terminal of its own; standard output goes to a pipe."""

    process: subprocess.Popen[bytes]
    descriptor: int
    screen: str = field(default="", init=False)
    seen: str = field(default="", init=False)
    """All that was ever on the screen."""

    def expect(self, text: str) -> None:
        """Reads the screen until `text` is on it; takes it and all before it away."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while text not in self.screen:
            has_ended = self.process.poll() is not None
            if select.select([self.descriptor], [], [], 0 if has_ended else LOOK_SECONDS)[0]:
                read = os.read(self.descriptor, 65536).decode()
                self.screen += read
                self.seen += read
            elif has_ended or time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} on the screen: {self.screen!r}")
        self.screen = self.screen.partition(text)[2]

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def finish(self) -> tuple[int, str]:
        """Exit code and standard output."""
        assert self.process.stdout is not None
        stdout, _ = self.process.communicate(timeout=LIMIT_SECONDS)
        return self.process.returncode, stdout.decode()


@contextmanager
def at_terminal(user: User, *arguments: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", AT_TERMINAL, COMMAND, *arguments],
            cwd=user.folder,
            env=user.environ,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as process:
            yield Terminal(process, ours)
            process.kill()
    finally:
        os.close(theirs)
        os.close(ours)


def prepare(user: User) -> None:
    user.write("spec.yaml", SPEC)
    user.write("names/a.txt", "Ada\n")


def test_a_run_with_answers(user: User) -> None:
    prepare(user)
    with at_terminal(user, "spec.yaml") as terminal:
        terminal.expect("`greeting`: how to greet (one of `hello`, `salut`)\r\ngreeting: ")
        terminal.type("hallo\n")
        terminal.expect("  is not among those allowed: `hallo`\r\ngreeting: ")
        terminal.type("salut\n")
        terminal.expect("`times` (an integer, at least 1, at most 3)\r\ntimes: ")
        terminal.type("2\n")
        terminal.expect("1 succeeded")
        code, stdout = terminal.finish()
    assert code == 0
    assert "Standard output:\nsalut 2 Ada\n" in stdout


def test_a_plan_with_answers_keeps_standard_output_clean(user: User) -> None:
    prepare(user)
    with at_terminal(user, "plan", "spec.yaml", "-p", "times=1") as terminal:
        terminal.expect("greeting: ")
        terminal.type("hello\n")
        code, stdout = terminal.finish()
    assert code == 0
    assert stdout.startswith("workload greet: 1 task\n")
    assert "$ echo hello 1 " in stdout
    assert "how to greet" not in stdout


def test_ctrl_c_at_a_question(user: User) -> None:
    prepare(user)
    with at_terminal(user, "spec.yaml") as terminal:
        terminal.expect("greeting: ")
        terminal.type(CTRL_C)
        terminal.expect("\r\nbatch-run: interrupted\r\n")
        code, stdout = terminal.finish()
    assert (code, stdout) == (130, "")
    assert not (user.folder / ".batch-run").exists()


def test_the_end_of_input_at_a_question(user: User) -> None:
    prepare(user)
    with at_terminal(user, "plan", "spec.yaml") as terminal:
        terminal.expect("greeting: ")
        terminal.type("hello\n")
        terminal.expect("times: ")
        terminal.type(CTRL_D)
        terminal.expect(
            "\r\nspec.yaml:5:3: missing-parameter: `times` has no default, and no value is given"
        )
        code, stdout = terminal.finish()
    assert (code, stdout) == (2, "")


def test_json_and_quiet_runs_do_not_ask(user: User) -> None:
    prepare(user)
    for option in ("--json", "-q"):
        with at_terminal(user, "run", "spec.yaml", option) as terminal:
            terminal.expect("missing-parameter: `times` has no default")
            code, stdout = terminal.finish()
        assert code == 2
        if option == "-q":
            assert stdout == ""
        else:
            error = json.loads(stdout)["error"]
            told = [(each["code"], each["message"]) for each in error["problems"]]
            assert (error["exit_code"], error["kind"], told) == (2, "spec", UNANSWERED)


def test_without_a_terminal_it_is_a_problem(user: User) -> None:
    prepare(user)
    done = user.run("plan", "spec.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "spec.yaml:4:3: missing-parameter: `greeting` has no default, and no value is given\n"
    )


SECRET = """\
version: 1
name: secret
parameters:
  token: {type: string, secret: true, description: of the service}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
task:
  command: test "$TOKEN" = "it is typed unseen" && echo known
  environment: {TOKEN: "{{ parameters.token }}"}
  print: stdout
"""


def test_a_secret_is_typed_unseen(user: User) -> None:
    user.write("secret.yaml", SECRET)
    with at_terminal(user, "run", "secret.yaml") as terminal:
        terminal.expect("`token`: of the service (a secret; it is not shown)\r\n")
        terminal.expect("token: ")
        terminal.type("it is typed unseen\n")
        terminal.expect("run directory: ")
        code, stdout = terminal.finish()
        assert (code, "known" in stdout) == (0, True)
        assert "typed unseen" not in terminal.seen
