"""What a shell is told while somebody types: by the parser, and by the runs of the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.cli.completion.wanted import Kind
from runner.cli.dispatch import run_command
from runner.cli.parser import build_subparser
from runner.cli.signals import Interruptions
from runner.cli.table import COMMANDS
from tests.unit.cli.worlds import make_world

RUN = "mine-20260131t120000z-k3dq"


def ask(folder: Path, *words: str, shell: str = "fish") -> list[str]:
    world, stdout, stderr = make_world(folder)
    assert run_command(["__complete", shell, *words], world, Interruptions()) == 0
    assert stderr.getvalue() == ""
    return stdout.content.decode().splitlines()


def begin_run(folder: Path, name: str = RUN) -> Path:
    directory = folder / ".batch-run" / "runs" / name
    directory.mkdir(parents=True)
    (folder / ".batch-run" / "last").write_text(name)
    return directory


def journal(directory: Path, tasks: int, failed: tuple[int, ...]) -> None:
    lines: list[dict[str, object]] = [
        {"type": "task.added", "task": f"{number:04}", "item": f"file {number}.txt"}
        for number in range(1, tasks + 1)
    ]
    lines += [
        {"type": "task.finished", "task": f"{number:04}", "item": "", "succeeded": False}
        for number in failed
    ]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (directory / "events.jsonl").write_text(text)


def test_the_first_word_is_a_command_or_a_spec(tmp_path: Path) -> None:
    own, *offered = ask(tmp_path, "")
    assert own == "specs"
    assert offered == [f"{command.name}\t{command.summary}" for command in COMMANDS]
    assert ask(tmp_path, "--v") == [
        "nothing",
        "--version\tshow program's version number and exit",
    ]


@pytest.mark.parametrize(
    ("line", "own", "words"),
    [
        ("run", "specs", ["run", "runs"]),
        ("run a.yaml --allow", "nothing", ["--allow-admin"]),
        ("a.yaml --allow", "nothing", ["--allow-admin"]),
        ("run a.yaml --target l", "nothing", ["local"]),
        ("run a.yaml --target=l", "nothing", ["--target=local"]),
        ("run a.yaml --detach --det", "nothing", []),
        ("run --keep pool --kee", "nothing", ["--keep"]),
        ("run --params ", "files", []),
        ("run --output ", "folders", []),
        ("run ", "specs", []),
        ("run a.yaml b", "nothing", []),
        ("validate a.yaml ", "specs", []),
        ("run -- --det", "specs", []),
        ("run a.yaml -p x", "nothing", []),
        ("new ", "nothing", []),
        ("schema vers", "nothing", ["version"]),
        ("plan a.yaml --prices az", "files", ["azure"]),
        ("new mine --from wordc", "nothing", ["wordcount"]),
        ("completion z", "nothing", ["zsh"]),
        ("help stat", "nothing", ["status"]),
        ("nonsense --nonsense ", "nothing", []),
    ],
)
def test_what_may_stand_there(tmp_path: Path, line: str, own: str, words: list[str]) -> None:
    found, *offered = ask(tmp_path, *line.split(" "))
    if line.startswith("nonsense"):  # `run` of a spec, and all its options
        offered = []
    assert (found, [each.partition("\t")[0] for each in offered]) == (own, words)


def test_bash_gives_words_with_quotes_and_cut_in_pieces(tmp_path: Path) -> None:
    spec = tmp_path / "two words.yaml"
    spec.write_text("parameters: {size: {description: how large}, sort: {type: string}}\n")
    for typed in ("two\\ words.yaml", "'two words.yaml'", '"two words.yaml"'):
        offered = ask(tmp_path, "run", typed, "-p", "s", shell="bash")
        assert offered == ["nothing", "size=\thow large", "sort=\t"]
    assert ask(tmp_path, "run", "--target", "=", "az", shell="bash") == ["nothing", "azure\t"]
    assert ask(tmp_path, "run", "--target", "=", shell="bash")[1:] == ["local\t", "azure\t"]
    assert ask(tmp_path, "run", "'half a", shell="bash") == ["specs"]


def test_failed_tasks_come_first_and_zeros_may_be_left_out(tmp_path: Path) -> None:
    journal(begin_run(tmp_path), 31, failed=(3, 30))
    offered = ask(tmp_path, "logs", "")
    assert offered[:4] == [
        "nothing",
        "0003\tfailed: file 3.txt",
        "0030\tfailed: file 30.txt",
        "0001\tfile 1.txt",
    ]
    assert offered[-1] == f"{RUN}\trun"
    assert [each.partition("\t")[0] for each in ask(tmp_path, "logs", "3")] == [
        *("nothing", "3", "30", "31"),
    ]
    assert ask(tmp_path, "logs", "003") == [
        *("nothing", "0030\tfailed: file 30.txt", "0031\tfile 31.txt"),
    ]
    assert ask(tmp_path, "logs", "3", "") == ["nothing", f"{RUN}\trun"]
    assert ask(tmp_path, "run", "mine.yaml", "--only", "3,30,3") == [
        *("nothing", "3,30,31\tfile 31.txt"),
    ]
    assert ask(tmp_path, "plan", "mine.yaml", "--task", "31") == [
        *("nothing", "31\tfile 31.txt"),
    ]


def test_tasks_are_those_of_the_run_that_is_named(tmp_path: Path) -> None:
    journal(begin_run(tmp_path, "old-20250131t120000z-aaaa"), 1, failed=())
    journal(begin_run(tmp_path), 2, failed=())
    assert ask(tmp_path, "logs", "old", "0")[1:] == ["0001\tfile 1.txt"]
    assert ask(tmp_path, "status", "") == [
        *("nothing", f"{RUN}\trun", "old-20250131t120000z-aaaa\trun"),
    ]


def test_many_tasks_are_not_all_offered(tmp_path: Path) -> None:
    journal(begin_run(tmp_path), 100_000, failed=(99_999,))
    offered = ask(tmp_path, "logs", "")
    assert offered[1] == "99999\tfailed: file 99999.txt"
    assert len(offered) == 501


@pytest.mark.parametrize("content", [b"", b"\0\xff{", b'{"type":"task.added","task":"00', None])
def test_a_run_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    directory = begin_run(tmp_path)
    if content is None:
        (directory / "events.jsonl").mkdir()
    else:
        (directory / "events.jsonl").write_bytes(content)
    assert ask(tmp_path, "logs", "") == ["nothing", f"{RUN}\trun"]


def test_names_that_could_steer_a_terminal_do_not(tmp_path: Path) -> None:
    directory = begin_run(tmp_path)
    line = {"type": "task.added", "task": "0001", "item": "a\x1b[31m\tb\u202ec\n"}
    (directory / "events.jsonl").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    assert ask(tmp_path, "logs", "0") == ["nothing", "0001\ta [31m b c"]


@pytest.mark.parametrize("text", ["[", "- a\n", "parameters: 3\n", "parameters: {a: 1}\n", "\0"])
def test_a_spec_that_is_none_has_no_parameters(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    offered = ask(tmp_path, "run", "odd.yaml", "-p", "")
    assert offered == (["nothing", "a=\t"] if "a: 1" in text else ["nothing"])


def test_nobody_may_look_into_the_folder(tmp_path: Path) -> None:
    begin_run(tmp_path)
    runs = tmp_path / ".batch-run" / "runs"
    runs.chmod(0)
    try:
        offered = ask(tmp_path, "status", "")
    finally:
        runs.chmod(0o700)
    assert offered in (["nothing"], ["nothing", f"{RUN}\trun"])  # root may
    if os.geteuid() != 0:
        assert offered == ["nothing"]


def test_every_word_that_is_asked_for_has_a_kind() -> None:
    known = {kind.value for kind in Kind} | {"NAME", "TIME", "N"}
    for command in COMMANDS:
        if command.name == "emulator":
            continue
        for action in build_subparser(command.name).actions:
            if action.choices is None and action.nargs != 0:
                assert action.metavar in known, (command.name, action.dest)


def test_nodes_and_types_of_events_are_offered(tmp_path: Path) -> None:
    directory = begin_run(tmp_path)
    lines = [
        {"type": "node.changed", "node": "tvmps_1_d", "state": state, "previous": None}
        for state in ("starting", "running")
    ]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (directory / "events.jsonl").write_text(text)
    assert ask(tmp_path, "logs", "--start-task", "--node", "tv") == [
        *("nothing", "tvmps_1_d\trunning"),
    ]
    assert ask(tmp_path, "events", "--type", "run.")[1:] == ["run.started\t", "run.finished\t"]
