"""What earlier runs have left: found again by what it was, whatever became of the file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.model import RunId
from runner.run.results import results_store
from runner.run.results.entries import (
    UNKNOWN_IDENTITY,
    KeptOutput,
    Result,
    name_digest,
    read_head,
    read_mark,
    result_as_line,
    result_from_line,
)
from runner.run.results.results_index import ResultsIndex
from runner.run.results.results_store import OutputInUseError, open_results, results_folder
from tests.fakes.reruns import NOW

RESULT = Result(
    identity=b"i" * 16,
    succeeded=True,
    run="demo-1",
    task="0001",
    step="map",
    item="ä\udcff.txt",
    parts={"command": "c", "inputs": "i"},
    files={"inputs": (("ä.txt", "00"),)},
    outputs=(KeptOutput(role="output", blob="a", path="output/a", bytes=3, md5="ff"),),
    started=NOW,
    ended=None,
)


def write(folder: Path, *results: Result) -> Path:
    path = folder / "results.jsonl"
    path.write_bytes(b"".join(map(result_as_line, results)))
    return path


def test_a_line_is_read_back() -> None:
    for result in (RESULT, replace(RESULT, skipped=True), replace(RESULT, succeeded=False)):
        line = result_as_line(result)
        assert line.isascii()
        assert result_from_line(line) == result
        mark = read_mark(line)
        assert mark is not None
        assert (mark.identity, mark.succeeded) == (result.identity, result.succeeded)


def test_no_beginning_of_a_line_is_a_result() -> None:
    line = result_as_line(RESULT)
    for length in range(len(line)):
        torn = line[:length]
        assert read_mark(torn) is None
        # Ended by whoever writes the next line.
        assert result_from_line(torn + b"\n") is None or torn + b"\n" == line


def test_a_line_that_is_nested_without_end_is_none() -> None:
    line = result_as_line(RESULT)
    start = line.index(b'"parts":') + len(b'"parts":')
    nested = line[:start] + b"[" * 100_000 + b"}\n"
    assert read_mark(nested) is not None
    assert result_from_line(nested) is None
    assert read_head(b'{"kept":' + b"[" * 100_000 + b"\n") == 0


def test_the_last_word_counts(tmp_path: Path) -> None:
    second = replace(RESULT, run="demo-2")
    index = ResultsIndex(write(tmp_path, RESULT, second))
    place = index.find(RESULT.identity)
    assert place is not None
    assert index.result(place) == second
    assert index.find_name("map", RESULT.item) == second
    assert index.find_name("map", "other") is None
    assert index.find(b"other" * 4) is None
    index.close()
    index = ResultsIndex(write(tmp_path, RESULT, replace(second, succeeded=False)))
    assert index.find(RESULT.identity) is None
    index.close()


def test_what_nobody_could_tell_is_not_found(tmp_path: Path) -> None:
    index = ResultsIndex(write(tmp_path, replace(RESULT, identity=UNKNOWN_IDENTITY)))
    assert index.find(UNKNOWN_IDENTITY) is None
    assert index.find_name("map", RESULT.item) is not None
    index.close()


def test_damage_costs_the_damaged_lines_alone(tmp_path: Path) -> None:
    other = replace(RESULT, identity=b"o" * 16, item="b")
    path = write(tmp_path, RESULT, other)
    content = bytearray(path.read_bytes())
    content[content.index(b'"parts"')] = 0
    path.write_bytes(bytes(content) + result_as_line(RESULT)[:50])
    index = ResultsIndex(path)
    place = index.find(RESULT.identity)
    assert place is not None
    assert index.result(place) is None
    assert index.find_name("map", "b") == other
    assert list(index.results()) == [other]
    index.close()


def test_a_torn_end_is_mended(tmp_path: Path) -> None:
    with open_results(tmp_path, tmp_path) as store:
        store.append(result_as_line(RESULT))
        store.append(result_as_line(RESULT)[:40])
    other = replace(RESULT, identity=b"o" * 16, item="b")
    with open_results(tmp_path, tmp_path) as store:
        assert len(store.index) == 1
        store.append(result_as_line(other))
    with open_results(tmp_path, tmp_path) as store:
        assert list(store.index.results()) == [RESULT, other]


def test_one_run_at_a_time(tmp_path: Path) -> None:
    folder = results_folder(tmp_path, tmp_path / "results", "demo")
    with open_results(folder, tmp_path / "results") as store:
        store.begin(RunId("demo-7"), tmp_path / "results")
        with (
            pytest.raises(OutputInUseError, match=r"^run `demo-7` \(process \d+\) works into"),
            open_results(folder, tmp_path / "results"),
        ):
            pass
    with open_results(folder, tmp_path / "results") as store:
        assert store.last_run == "demo-7"
    assert (folder / "place.txt").read_text() == f"{tmp_path / 'results'}\n"


def test_places_and_workloads_have_results_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "here")
    here = results_folder(tmp_path, tmp_path / "here", "demo")
    assert results_folder(tmp_path, tmp_path / "link", "demo") == here
    others = {results_folder(tmp_path, tmp_path / "there", "demo")}
    others.add(results_folder(tmp_path, tmp_path / "here", "other"))
    assert here not in others
    assert len(others) == 2


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(UsageError) as caught:
        ResultsIndex(tmp_path / "results.jsonl")
    assert caught.value.message == f"cannot read `{tmp_path}/results.jsonl`: is a directory"
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught, open_results(tmp_path / "file" / "x", tmp_path):
        pass
    assert caught.value.message == f"cannot write `{tmp_path}/file/x`: not a directory"


def test_what_says_nothing_any_more_is_dropped(tmp_path: Path) -> None:
    """Results whose files later ones have replaced go, once they are many."""
    tasks, rounds = 40, results_store._SPARE_LINES // 40 + 2
    outputs = (replace(RESULT.outputs[0], path="output/ITEM"),)
    line = result_as_line(replace(RESULT, run="RUN", item="ITEM", outputs=outputs))
    with open_results(tmp_path, tmp_path) as store:
        for number in range(rounds):
            for task in range(tasks):
                identity = (
                    hashlib.blake2b(b"%d/%d" % (number, task), digest_size=16).hexdigest().encode()
                )
                own = line.replace(RESULT.identity.hex().encode(), identity)
                own = own.replace(b"RUN", b"demo-%d" % number).replace(b"ITEM", b"%d" % task)
                name = name_digest("map", str(task)).hex().encode()
                store.append(own.replace(name_digest("map", "ITEM").hex().encode(), name))
        elsewhere = replace(RESULT, identity=b"e" * 16, item="gone", run="demo-0")
        store.append(result_as_line(elsewhere))
    with open_results(tmp_path, tmp_path) as store:
        left = list(store.index.results())
        assert store.index.kept == len(left) == tasks + 1
        assert {each.run for each in left[:-1]} == {f"demo-{rounds - 1}"}
        assert left[-1] == elsewhere
        assert [each.item for each in left[:-1]] == [str(task) for task in range(tasks)]
