"""Which failures are the same, whatever a command leaves on standard error."""

from __future__ import annotations

import pytest

from runner.run.events import TaskFinished
from runner.run.tasks.signatures import Signature, signature_of, summary_of
from tests.effort import count_steps
from tests.fakes.ends import end_of

RUN = "demo-20260102t030405z-abcd"


def failed(
    number: int = 1,
    stderr: str | None = "",
    *,
    item: str | None = None,
    exit_code: int | None = 1,
    cause: str = "FailureExitCode",
    message: str = "The task exited with an exit code representing a failure",
    node: str | None = None,
) -> TaskFinished:
    return end_of(
        f"{number:04}",
        item=f"clips/film {number}.mp4" if item is None else item,
        node=f"tvm-{number}_9" if node is None else node,
        succeeded=False,
        exit_code=exit_code,
        cause=cause,
        message=message,
        stderr_tail=stderr,
    )


def signature(task: TaskFinished) -> Signature:
    return signature_of(task, run=RUN)


ALIKE = [
    "bash: line 1: ffmpeg: command not found",
    "clips/film {n}.mp4: Invalid data found when processing input",
    "cannot write `film {n}.mp3': No space left on device",
    "film {n}_out.mp3 is not there",
    "/mnt/batch/tasks/workitems/{run}/job-1/{task}/wd/x{n}: no such file",
    r"C:\batch\tasks\{task}\wd\in.dat is locked",
    "killed after 12.{n} s at 2026-01-02T03:04:{n}.5Z on tvm-{n}_9",
    "task {task} of run {run} failed",
    "segfault at 7f{n}3c5d2e ip 0x00{n}ff00 error 4",
    "request 3f2{n}a1b4-11aa-4c2b-9d3e-0f0{n}5a6b7c8d was refused",
    "read 1,{n}34 of 9.{n} MB",
    "\x1b[3{n}mERROR\x1b[0m: no\ttype",
    "frame={n} fps={n}\rframe=9{n} fps=1{n}\rConversion failed!",
    "GET https://host/films/film {n}.mp4?sig=x{n} gave 403",
    "",
    "\n \n\t\n",
]


@pytest.mark.parametrize("text", ALIKE)
def test_what_is_a_tasks_own_makes_no_difference(text: str) -> None:
    first, second = (
        signature(failed(n, text.format(n=n, task=f"{n:04}", run=RUN))) for n in (3, 4)
    )
    assert first == second


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ffmpeg: command not found", "ffprobe: command not found"),
        ("Invalid data found", "No space left on device"),
        ("KeyError: 'width'", "KeyError: 'height'"),
        ("first line\nsecond line", "another line\nsecond line"),
        ("it failed", ""),
    ],
)
def test_what_went_wrong_does(first: str, second: str) -> None:
    assert signature(failed(1, first)) != signature(failed(2, second))


def test_codes_and_causes_do() -> None:
    same = "no such thing"
    assert signature(failed(1, same)) != signature(failed(2, same, exit_code=2))
    assert signature(failed(1, same)) != signature(failed(2, same, cause="OutputMissing"))


def test_only_the_last_lines_count() -> None:
    log = "loading {n} files\nwarning: {n}\nreading\nstill reading\nKeyError: 'x'\n"
    assert signature(failed(1, f"odd words\n{log}")) == signature(failed(2, log))
    assert signature(failed(1, log)).words == "reading\nstill reading\nKeyError: 'x'"


def test_short_names_stand_for_files_alone() -> None:
    stderr = "a program cannot read a.txt, a/b or a.out"
    words = "a program cannot read _.txt, / or _.out"
    assert signature(failed(1, stderr, item="a.txt")).words == words.replace("_.txt", "_")
    assert signature(failed(1, "x.y is no name", item="x.y")).words == "_ is no name"
    assert signature(failed(1, "no item at all", item="")).words == "no item at all"


@pytest.mark.parametrize(
    "item", ["(a|b)*.txt", "[x", "\\", "a\nb.txt", "\ud800.txt", "..", "/", "%s", "ﬀ.mp4"]
)
def test_odd_names_are_only_names(item: str) -> None:
    first = signature(failed(1, f"bash: {item}: no", item=item))
    assert first.exit_code == 1
    assert first.words.startswith("bash: ")


def test_what_did_not_end_by_itself_goes_by_the_services_words() -> None:
    def missing(number: int) -> TaskFinished:
        return failed(
            number,
            None,
            exit_code=None,
            cause="BlobNotFound",
            message=f"The blob film {number}.mp4 of https://a/{RUN}-input is not there",
        )

    assert signature(missing(1)) == signature(missing(2))
    assert summary_of(missing(1)) == (
        f"BlobNotFound: The blob film 1.mp4 of https://a/{RUN}-input is not there"
    )


SUMMARIES = [
    (failed(1, "hello\n\nffmpeg: command not found\n", exit_code=127), "ffmpeg: command not found"),
    (failed(1, "a\x1b[31mb\x1b[0m\x07c\x9bd", exit_code=127), "ab c d"),
    (failed(1, "x" * 500, exit_code=127), "x" * 157 + "..."),
]


@pytest.mark.parametrize(("task", "words"), SUMMARIES)
def test_a_summary_is_one_line_of_printable_text(task: TaskFinished, words: str) -> None:
    assert summary_of(task) == f"exit code 127: {words}"


def test_a_summary_without_words() -> None:
    assert summary_of(failed(1, "")) == "exit code 1"
    assert summary_of(failed(1, None)) == "exit code 1"
    assert summary_of(failed(1, None, cause="Odd", message="", exit_code=None)) == "Odd"
    output_missing = failed(
        1, "", cause="OutputMissing", message="the command did not write `a`", exit_code=0
    )
    assert summary_of(output_missing) == "OutputMissing: the command did not write `a`"


HOSTILE = [
    "a" * 200_000,
    "f" * 200_000,
    "a/" * 100_000,
    "1,2." * 50_000,
    "\x1b[" * 100_000,
    "\x1b[" + "1;" * 100_000,
    "0x" * 100_000,
    "film " * 40_000,
    "film 1.mp" * 20_000,
    "\r" * 200_000,
    "\u2028\x85\x0b\x0c" * 50_000,
    "'\"`(" * 50_000,
    "\x00\ud800\udfff" * 60_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_takes_no_time_and_little_space(text: str) -> None:
    """Only the end of it is looked at, and that with patterns that never go back."""
    task = failed(1, text)
    assert len(signature(task).words) <= 3 * 401
    assert len(summary_of(task)) <= 180
    assert count_steps(lambda: (signature(task), summary_of(task))) < 200_000
