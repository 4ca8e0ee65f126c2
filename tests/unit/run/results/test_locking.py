"""The lock file: what tasks were made of, whole after a run that is taken up again."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from runner.errors import ServiceUnreachableError, UsageError
from runner.plan.input_digests import ListBlobs
from runner.plan.model import Plan, RunId, StoredBlob
from runner.run.records.journal import Journal
from runner.run.records.places import RUNS
from runner.run.results.differences import FileChange, Kind, compare_locks
from runner.run.results.evidence import gather_evidence
from runner.run.results.lock_file import LOCK_FILE, read_lock, read_planned
from runner.run.results.locking import reopen_lock
from runner.run.results.rerun import judge, recall, record_nothing_to_do, rerun_lines, settle
from runner.run.results.results_store import open_results, results_folder
from runner.run.results.settled import HomeOutput, Settled
from runner.spec.model.terms import Role
from tests.fakes.plans import SPEC, make_plan, spec_of
from tests.fakes.reruns import NOW, Reruns, reasons, run_end, task_end

STEPS = spec_of(
    """\
tasks:
  map:
    for_each: input
    command: cat {{ file.path }} > {{ file.stem }}.m
    outputs: [{pattern: "{{ file.stem }}.m", to: output}]
  sum:
    needs: [map]
    resources: [{from: output}]
    command: cat *.m > sum.txt
    outputs: [{pattern: sum.txt, to: output}]
"""
)


WILD = SPEC.replace("{download: true}", "{name: mine}").replace(
    '[{pattern: "{{ file.stem }}.out", to: output}]',
    '[{pattern: "*.out", to: output, path: "{{ file.stem }}"}]',
)


@pytest.fixture
def reruns(tmp_path: Path) -> Reruns:
    return Reruns(folder=tmp_path)


def directory(reruns: Reruns, count: int) -> Path:
    return reruns.folder / RUNS / f"demo-{count}"


def resume(reruns: Reruns, plan: Plan, *, ends: tuple[str, ...]) -> None:
    """The last run is taken up again, and these tasks come to their ends."""
    assert reruns.last is not None
    place = reruns.place()
    folder = results_folder(reruns.folder, reruns.home, plan.workload.name)
    own = replace(plan, run_id=reruns.last)
    with open_results(folder, reruns.home) as store:
        evidence = gather_evidence(
            own, store.index, place, stored=None, list_blobs=None, list_left=reruns.lister(plan)
        )
        here = reruns.folder / RUNS / reruns.last
        with reopen_lock(here, evidence, store, place=place) as lock:
            for task in plan.tasks:
                if task.display_name in ends:
                    lock.hear(task_end(task))
            lock.hear(run_end(len(ends)))


def test_what_is_in_it(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan, fails=["task/b.txt"])
    lock = read_lock(directory(reruns, 1) / LOCK_FILE)
    assert lock.head == {
        "v": 1,
        "run": "demo-1",
        "workload": "demo",
        "target": "local",
        "output_directory": str(reruns.home),
        "tasks": 2,
    }
    assert [(each.task, each.step, each.item, each.action) for each in lock.planned.values()] == [
        ("0001", "task", "a.txt", "run"),
        ("0002", "task", "b.txt", "run"),
    ]
    good, bad = lock.ended["0001"], lock.ended["0002"]
    assert good.succeeded
    assert [output.path for output in good.outputs] == ["output/a.out"]
    assert [path for path, _ in good.files["inputs"]] == ["a.txt"]
    assert not bad.succeeded
    assert bad.parts.keys() == good.parts.keys()


def test_lines_that_are_nested_without_end_are_passed_over(reruns: Reruns) -> None:
    reruns.run(make_plan(reruns.folder))
    path = directory(reruns, 1) / LOCK_FILE
    whole = read_lock(path)
    with path.open("ab") as stream:
        stream.write(b"[" * 100_000 + b'\n{"task":"0007","action":' + b"[" * 100_000 + b"\n")
    assert read_lock(path) == whole
    assert read_planned(path, "0007") is None


def test_a_run_that_is_taken_up_again_finds_what_its_wildcards_have_left(tmp_path: Path) -> None:
    """Also of tasks that ended before it was."""
    reruns = Reruns(folder=tmp_path, target="azure")
    plan = make_plan(tmp_path, WILD)
    reruns.stored = {
        Role("output"): tuple(
            StoredBlob(name=name, size_bytes=3, md5=None, modified=NOW)
            for name in ("a/1.out", "a/2.out", "b/1.out")
        )
    }
    reruns.run(plan, stops_at="task/b.txt")
    assert reruns.last is not None
    path = tmp_path / RUNS / reruns.last / LOCK_FILE
    assert read_lock(path).ended["0001"].stored is None
    resume(reruns, plan, ends=("task/b.txt",))
    ended = read_lock(path).ended
    names = {task: [each.blob for each in end.stored or ()] for task, end in ended.items()}
    assert names == {"0001": ["a/1.out", "a/2.out"], "0002": ["b/1.out"]}
    same = "skip: unchanged since run demo-1"
    assert set(reasons(plan, reruns.decide(plan)).values()) == {same}


class Silent(Reruns):
    """The service does not answer any more."""

    @override
    def lister(self, plan: Plan) -> ListBlobs:
        def list_blobs(container: str, prefix: str) -> tuple[StoredBlob, ...]:
            raise ServiceUnreachableError(f"no {container}/{prefix}")

        return list_blobs


def test_a_service_that_does_not_answer_at_the_end_spoils_nothing(tmp_path: Path) -> None:
    reruns = Silent(folder=tmp_path, target="azure")
    reruns.run(make_plan(tmp_path, WILD))
    ended = read_lock(directory(reruns, 1) / LOCK_FILE).ended
    assert {task: (end.succeeded, end.stored) for task, end in ended.items()} == {
        "0001": (True, None),
        "0002": (True, None),
    }


def test_a_run_that_is_taken_up_again_is_told_to_its_end(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder, STEPS)
    reruns.run(plan, stops_at="sum")
    assert reasons(plan, reruns.decide(plan))["sum"] == "run: it has not run before"
    path = directory(reruns, 1) / LOCK_FILE
    path.write_bytes(path.read_bytes()[:-20])  # as a crash of the machine may leave it
    # What the events of the run say stands in for the line that is torn.
    journal = Journal(
        directory(reruns, 1),
        run=RunId("demo-1"),
        clock=lambda: NOW,
        listener=lambda event, line: None,
    )
    journal.record(task_end(plan.tasks[1]))
    journal.close()
    resume(reruns, plan, ends=("sum",))
    assert set(read_lock(path).ended) == {"0001", "0002", "0003"}
    same = "skip: unchanged since run demo-1"
    assert reasons(plan, reruns.decide(plan))["map/a.txt"] == same


def test_a_resumed_run_knows_what_it_had_left_out(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder, STEPS)
    reruns.run(plan, fails=["map/b.txt"], stops_at="sum")
    reruns.run(plan, only="2", stops_at="map/b.txt")
    settled = Settled(3)
    recall(settled, directory(reruns, 2), reruns.home)
    assert [settled.is_settled(number) for number in (1, 2, 3)] == [True, False, True]
    assert (list(settled.skipped()), settled.left_out) == ([1], 1)
    path = reruns.home / "output" / "a.m"
    assert settled.outputs(Role("output")) == (HomeOutput(Role("output"), "a.m", path),)
    recall(settled, reruns.folder, reruns.home)  # a run without a lock file: nothing is known


def test_only_what_others_need_is_brought_up_again(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder, STEPS)
    reruns.run(plan)
    (reruns.home / "output" / "sum.txt").unlink()
    place = reruns.place()
    folder = results_folder(reruns.folder, reruns.home, "demo")
    with open_results(folder, reruns.home) as store:
        evidence = gather_evidence(plan, store.index, place, stored=None, list_blobs=None)
        verdict = judge(
            evidence,
            force=False,
            only=None,
            last_run=store.last_run,
            working_directory=reruns.folder,
        )
        settled = settle(evidence, verdict)
    assert (len(settled), settled.is_settled(3)) == (2, False)
    assert [each.blob for each in settled.outputs(Role("output"))] == ["a.m", "b.m"]
    assert list(rerun_lines(verdict.decisions)) == [
        "2 of 3 tasks are unchanged and skipped (`--force` runs all)"
    ]


def test_a_run_without_anything_to_do_is_told_whole(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    settled = Settled(2)
    settled.skip(1)
    settled.leave_out(2)
    told: list[dict[str, object]] = []
    journal = Journal(
        reruns.folder,
        run=plan.run_id,
        clock=lambda: NOW,
        listener=lambda _, line: told.append(json.loads(line)),
    )
    assert record_nothing_to_do(plan, settled, journal, target="local") == 0
    journal.close()
    assert [line["type"] for line in told] == [
        "run.started",
        "task.finished",
        "cleanup.finished",
        "run.finished",
    ]
    assert (told[0]["tasks"], told[0]["left_out"]) == (2, 1)
    assert (told[1]["task"], told[1]["skipped"]) == ("0001", True)
    assert {key: told[3][key] for key in ("exit_code", "succeeded", "unfinished")} == {
        "exit_code": 0,
        "succeeded": 1,
        "unfinished": 1,
    }


def test_two_runs_compared(reruns: Reruns) -> None:
    reruns.run(make_plan(reruns.folder, files=("a.txt", "b.txt", "c.txt")))
    (reruns.folder / "data" / "a.txt").unlink()
    (reruns.folder / "data" / "b.txt").write_text("other")
    plan = make_plan(reruns.folder, SPEC.replace("cat {{", "cat -n {{"), files=("c.txt", "d.txt"))
    reruns.run(plan)
    first, second = (read_lock(directory(reruns, count) / LOCK_FILE) for count in (1, 2))
    found = {each.item: each for each in compare_locks(first, second)}
    assert {item: each.kind for item, each in found.items()} == {
        "a.txt": Kind.ONLY_FIRST,
        "b.txt": Kind.RAN,
        "c.txt": Kind.RAN,
        "d.txt": Kind.ONLY_SECOND,
    }
    assert found["b.txt"].ids == ("0002", "0001")
    assert found["b.txt"].changed == ("command", "inputs")
    assert found["b.txt"].why == "its command and inputs changed"
    (file,) = found["b.txt"].files
    assert isinstance(file, FileChange)
    assert (file.path, file.first == file.second) == ("b.txt", False)
    assert found["c.txt"].changed == ("command",)
    assert found["c.txt"].files == ()
    reruns.run(plan)
    third = read_lock(directory(reruns, 3) / LOCK_FILE)
    assert {each.kind for each in compare_locks(second, third)} == {Kind.SKIPPED}


def test_without_a_lock_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_lock(tmp_path / "demo-1" / LOCK_FILE)
    assert caught.value.message == (
        "`demo-1` has no `lock.jsonl`: it did not come to begin, or an earlier version of"
        " batch-run made it"
    )


def test_lines_that_are_no_json_are_passed_over(reruns: Reruns) -> None:
    reruns.run(make_plan(reruns.folder))
    path = directory(reruns, 1) / LOCK_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"\0\0\n" + b'{"task": 7}\n' + b"".join(lines) + b'{"task"')
    lock = read_lock(path)
    assert json.dumps(lock.head["tasks"]) == "2"
    assert set(lock.planned) == set(lock.ended) == {"0001", "0002"}


def test_a_torn_line_that_cannot_be_mended_is_told_of(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan, stops_at="task/b.txt")
    path = directory(reruns, 1) / LOCK_FILE
    path.write_bytes(path.read_bytes()[:-20])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        with pytest.raises(UsageError) as caught:
            resume(reruns, plan, ends=())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.message == f"cannot write `{path}`: file too large"
