"""New specs: what is written, where, and what is never overwritten."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from runner.cli.commands import new
from runner.cli.signals import Interruptions
from runner.cli.starter import examples, local_inputs
from runner.errors import ExitCode, UsageError
from runner.spec.bundled import bundled
from runner.spec.load import load_workload
from runner.spec.validation.schema import SCHEMA_PARTS
from tests.unit.cli.worlds import make_world

SCHEMA = bundled(*SCHEMA_PARTS)
HEADER = "# yaml-language-server: $schema="
NEXT = """\
check it:              batch-run validate {0}
see what it would do:  batch-run plan {0}
run it:                batch-run run {0}
"""


def run_new(folder: Path, *words: str) -> tuple[str, str]:
    """Standard output and standard error of a `new` that succeeds."""
    world, stdout, stderr = make_world(folder)
    parser = argparse.ArgumentParser()
    new.add_arguments(parser)
    assert new.execute(parser.parse_args(words), world, Interruptions()) is ExitCode.SUCCESS
    return stdout.content.decode(), stderr.getvalue()


def refusal(folder: Path, *words: str) -> tuple[str, str | None]:
    """The message and the hint of a `new` that writes nothing."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(UsageError) as caught:
        run_new(folder, *words)
    assert sorted(folder.rglob("*")) == before
    return caught.value.message, caught.value.hint


def test_the_starter_is_valid_and_says_what_is_missing(tmp_path: Path) -> None:
    stdout, stderr = run_new(tmp_path, "demo")
    spec = tmp_path / "demo.yaml"
    assert stdout == "demo.yaml\n"
    line = spec.read_text().splitlines().index('    upload: [{from: data, include: ["**/*"]}]') + 1
    assert stderr == (
        f"demo.yaml:{line}:21: `data` is not there yet: make it, or name your own files\n"
        + NEXT.format("demo.yaml")
    )
    assert spec.read_text().startswith(f"{HEADER}{SCHEMA.as_uri()}\n")
    assert load_workload(spec, name="demo.yaml", given={}).name == "demo"
    (tmp_path / "data").mkdir()
    _, stderr = run_new(tmp_path, "other")
    assert stderr == NEXT.format("other.yaml")


@pytest.mark.parametrize("example", [each.name for each in examples()])
def test_every_example_can_be_started_from(tmp_path: Path, example: str) -> None:
    _, stderr = run_new(tmp_path, "mine", "--from", example)
    spec = tmp_path / "mine.yaml"
    was = bundled("workloads", f"{example}.yaml").read_text().splitlines()
    changed = [
        (old, now)
        for old, now in zip(was, spec.read_text().splitlines(), strict=True)
        if old != now
    ]
    assert changed == [
        (f"{HEADER}../schema/workload.schema.json", f"{HEADER}{SCHEMA.as_uri()}"),
        (f"name: {example}", "name: mine"),
    ]
    assert stderr.endswith(NEXT.format("mine.yaml"))


def test_an_example_names_its_own_data(tmp_path: Path) -> None:
    _, stderr = run_new(tmp_path, "mine", "--from", "workloads/cat.yaml")
    texts = bundled("workloads") / "data" / "texts"
    assert texts.is_dir()
    assert f"  the example's own is {texts}: copy it there (`new --data` does)\n" in stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("example", [each.name for each in examples()])
def test_the_data_of_an_example_come_along(tmp_path: Path, example: str) -> None:
    stdout, stderr = run_new(tmp_path, "mine", "--from", example, "--data", "--path", "mine.yml")
    text = (tmp_path / "mine.yml").read_text()
    sources = [each.source for each in local_inputs("mine.yml", text)]
    wanted = {"mine.yml": text.encode()}
    for source in sources:
        was = bundled("workloads") / source
        files = contents(was) if was.is_dir() else {"": was.read_bytes()}
        assert files
        wanted.update({f"{source}/{name}".rstrip("/"): each for name, each in files.items()})
        count = f"{len(files)} file{'s' * (len(files) > 1)}"
        assert f"copied `{source}`: {count}\n" in stderr
    assert contents(tmp_path) == wanted
    assert (stdout, stderr.endswith(NEXT.format("mine.yml"))) == ("mine.yml\n", True)
    assert "is not there yet" not in stderr


def test_data_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    own = tmp_path / "data" / "texts" / "own.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    _, stderr = run_new(tmp_path, "mine", "--from", "cat", "--data")
    assert stderr == (
        "`data/texts` is there already, and left as it is\n" + NEXT.format("mine.yaml")
    )
    assert contents(tmp_path / "data") == {"texts/own.txt": b"mine"}
    (tmp_path / "data" / "books").symlink_to("nowhere")
    _, stderr = run_new(tmp_path, "packed", "--from", "compress", "--data")
    assert stderr.startswith("`data/books` is there already, and left as it is\n")


def test_data_that_cannot_be_copied_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert refusal(tmp_path, "mine", "--from", "cat", "--data") == (
        "cannot copy `data/texts`: file exists",
        None,
    )
    assert refusal(tmp_path, "mine", "--data") == (
        "`--data` copies the data of an example",
        "say which: `--from NAME`; `batch-run new --list` shows them",
    )


def test_what_a_spec_reads_on_this_machine() -> None:
    text = """\
containers:
  input: {upload: [{from: a}, {from: "b/{{ parameters.x }}"}]}
  other: {existing: mine}
task:
  for_each: {rows: data/jobs.csv}
  environment: {rows: "3", from: x}
  resources: [{from: input}]
tasks:
  second: {for_each: {matrix: {x: {rows: c.json}, y: {list: [{rows: d}]}}}}
"""
    found = [
        (each.source, each.position.line, each.position.column)
        for each in local_inputs("spec.yaml", text)
    ]
    assert found == [("a", 2, 27), ("data/jobs.csv", 5, 20), ("c.json", 9, 42)]


def test_the_examples_are_listed_with_what_they_do(tmp_path: Path) -> None:
    stdout, stderr = run_new(tmp_path, "--list")
    lines = dict(line.split(maxsplit=1) for line in stdout.splitlines())
    assert lines["cat"] == "Print every text, one task a file, on a pool of two nodes."
    assert set(lines) == {path.stem for path in bundled("workloads").glob("*.yaml")}
    assert (stderr, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize("name", ["123", "1e5", "0x1f", "null", "true", "no", "2026-01-02"])
def test_a_name_that_yaml_takes_for_something_else(tmp_path: Path, name: str) -> None:
    run_new(tmp_path, name)
    spec = tmp_path / f"{name}.yaml"
    assert load_workload(spec, name="spec.yaml", given={}).name == name


def test_a_path_and_a_schema_beside_it(tmp_path: Path) -> None:
    (tmp_path / "my specs").mkdir()
    stdout, stderr = run_new(tmp_path, "demo", "--path", "my specs/first.yml", "--schema")
    assert stdout == "my specs/first.yml\n"
    assert stderr.endswith(NEXT.format("'my specs/first.yml'"))
    folder = tmp_path / "my specs"
    assert (folder / "first.yml").read_text().startswith(f"{HEADER}workload.schema.json\n")
    assert (folder / "workload.schema.json").read_bytes() == SCHEMA.read_bytes()
    run_new(tmp_path, "demo", "--path", "my specs/second.yml", "--schema")
    copy = folder / "workload.schema.json"
    copy.write_text("{}")
    assert refusal(tmp_path, "demo", "--path", "my specs/third.yml", "--schema") == (
        f"`{copy}` exists already, and is not the schema of this release",
        "`batch-run schema > workload.schema.json` replaces it",
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text("mine")
    hint = "nothing is overwritten: give another name, or `--path FILE`"
    assert refusal(tmp_path, "demo") == ("`demo.yaml` exists already", hint)
    assert refusal(tmp_path, "demo", "--path", ".") == ("`.` exists already", hint)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert refusal(tmp_path, "gone") == ("`gone.yaml` exists already", hint)
    assert (tmp_path / "demo.yaml").read_text() == "mine"


NAMES = "must be lower-case letters and digits, with single dashes between them"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            (),
            "a new workload needs a name",
            "`batch-run new NAME`; `batch-run new --list` shows the examples",
        ),
        (("Demo",), f"the name `Demo` {NAMES}", None),
        (("a--b",), f"the name `a--b` {NAMES}", None),
        (("a\n",), f"the name `a\n` {NAMES}", None),
        (("../up",), f"the name `../up` {NAMES}", None),
        (("a" * 24,), f"the name `{'a' * 24}` is longer than 23 characters", None),
        (
            ("a", "--path", "no/a.yaml"),
            "cannot write `no/a.yaml`: no such file or directory",
            None,
        ),
        (("a", "--path", "\0"), "cannot write `\0`: embedded null byte", None),
    ],
)
def test_what_cannot_be_made_is_one_line(
    tmp_path: Path, words: tuple[str, ...], message: str, hint: str | None
) -> None:
    assert refusal(tmp_path, *words) == (message, hint)


def test_an_example_that_is_not_there(tmp_path: Path) -> None:
    message, hint = refusal(tmp_path, "demo", "--from", "topword")
    assert message == "there is no example `topword`"
    assert hint is not None
    assert hint.startswith("did you mean `topwords`? examples: `cat`, ")
