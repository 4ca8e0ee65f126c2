"""The command line of the emulator: its help, and what cannot be followed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runner.emulator.options import build_parser, read_options

PROGRAM = "python -m runner.emulator"
STARTING_SECONDS = 60


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of an emulator that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "runner.emulator", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STARTING_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_examples_of_the_help_can_be_typed() -> None:
    text = build_parser().format_help()
    examples = [
        line.strip().removeprefix(PROGRAM).split("   ")[0].split(" > ")[0]
        for line in text[text.index("examples:\n") :].splitlines()
        if line.startswith(f"  {PROGRAM} ")
    ]

    found = [read_options(build_parser().parse_args(shlex.split(each))) for each in examples]

    assert len(found) == 8
    assert len({repr(options) for options in found}) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "abc"), "argument --port: invalid int value: 'abc'"),
        (("--quota", "cores=1"), "argument --quota: `cores` is not one of:"),
        (("--quota", "pools=-1"), "argument --quota: `-1` is not a number; write `pools=20`"),
        (("--isolation", "vm"), "argument --isolation: invalid choice: 'vm'"),
        (("--time", "fast"), "argument --time: invalid choice: 'fast'"),
        (("--seed", "x"), "argument --seed: invalid int value: 'x'"),
        (("--data", ""), "argument --data: the path is empty"),
        (("--applications", "/none"), "argument --applications: `/none` is no folder"),
    ],
)
def test_values_that_cannot_be_are_said_below_a_line_of_usage(
    arguments: tuple[str, ...], message: str
) -> None:
    code, output, errors = run(*arguments)

    assert (code, output) == (2, "")
    usage, error = errors.splitlines()
    assert usage == f"usage: {PROGRAM} [OPTION ...]"
    assert error.startswith(f"{PROGRAM}: error: {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--fault", "503 rate=2"),
            "`--fault '503 rate=2'`, character 5: `rate`: `2` is not a number from 0 to 1",
        ),
        (
            ("--model", "5s exit=a"),
            "`--model '5s exit=a'`, character 4: `exit`: `a` is not an exit code from 0 to 255",
        ),
        (
            ("--time", "virtual"),
            "`--time virtual` needs `--model`: what processes do takes real time",
        ),
        (("--faults", "/none"), "`/none` cannot be read: No such file or directory"),
        (("--keys", "/none"), "keys /none cannot be read: No such file or directory"),
        (
            ("--cert", "/none", "--key", "/none"),
            "/none cannot be read: No such file or directory",
        ),
        (("--host", "example.com"), "`example.com` is not an IP address nor `localhost`"),
        (("--port", "99999"), "port 99999 is not between 0 and 65535"),
    ],
)
def test_what_cannot_be_followed_is_said_in_one_line(
    arguments: tuple[str, ...], message: str
) -> None:
    assert run(*arguments) == (2, "", f"emulator: {message}\n")


def test_an_isolation_that_the_machine_lacks_is_said_in_one_line() -> None:
    if sys.platform == "linux" and os.geteuid() == 0:
        pytest.skip("root may have copy-on-write nodes")
    why = "it needs root" if sys.platform == "linux" else "it needs Linux"
    assert run("--isolation", "copy-on-write") == (
        2,
        "",
        f"emulator: nodes cannot be copy-on-write views of this machine: {why}\n",
    )


def test_a_folder_of_a_service_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "blob" / "contents"
    path.parent.mkdir()
    path.write_text("")
    assert run("--data", str(tmp_path), "--isolation", "none") == (
        2,
        "",
        f"emulator: {path} cannot be used: File exists\n",
    )


def test_a_data_directory_that_may_not_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    assert run("--data", str(folder)) == (
        2,
        "",
        f"emulator: data directory {folder} cannot be used: Permission denied\n",
    )
