"""Which tasks run again, and why: by what they are made of and by what is still there."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.model import Plan, StoredBlob
from runner.run.results.decisions import Action
from runner.spec.model.terms import Role
from tests.fakes.plans import SPEC, make_plan, spec_of
from tests.fakes.reruns import NOW, Reruns, reasons

STEPS = spec_of(
    """\
tasks:
  map:
    for_each: input
    command: cat {{ file.path }} > {{ file.stem }}.m
    outputs: [{pattern: "{{ file.stem }}.m", to: middle}]
  again:
    for_each: {outputs_of: map}
    command: cat {{ file.path }} > {{ file.stem }}.a
    outputs: [{pattern: "{{ file.stem }}.a", to: output}]
  sum:
    needs: [again]
    resources: [{from: output}]
    command: cat *.a > sum.txt
    outputs: [{pattern: sum.txt, to: output}]
""",
    containers="  middle: {}\n",
)
SAME = "skip: unchanged since run demo-1"
NEW = "run: it has not run before"


@pytest.fixture
def reruns(tmp_path: Path) -> Reruns:
    return Reruns(folder=tmp_path)


def steps(reruns: Reruns, text: str = STEPS) -> Plan:
    return make_plan(reruns.folder, text)


def why(reruns: Reruns, plan: Plan) -> dict[str, str]:
    return reasons(plan, reruns.decide(plan))


def test_nothing_is_known_before_the_first_run(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    assert why(reruns, plan) == {"task/a.txt": NEW, "task/b.txt": NEW}
    assert not (reruns.folder / ".batch-run").exists()
    assert reruns.run(plan) == ["task/a.txt", "task/b.txt"]
    assert why(reruns, plan) == {"task/a.txt": SAME, "task/b.txt": SAME}
    assert reruns.run(plan) == []


def test_content_counts_and_not_the_time(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan)
    file = reruns.folder / "data" / "a.txt"
    os.utime(file, ns=(1, 1))
    assert why(reruns, plan)["task/a.txt"] == SAME
    file.write_text("x.txt")
    os.utime(file, ns=(1, 1))
    assert why(reruns, plan)["task/a.txt"] == "run: its input `a.txt` changed"
    file.write_text("a.txt")
    assert why(reruns, plan)["task/a.txt"] == SAME


def test_what_was_sent_counts(reruns: Reruns) -> None:
    """A file that changes while the run goes is not what the task was given."""
    plan = make_plan(reruns.folder)
    changing = reruns.folder / "data" / "a.txt"

    def change(task: object) -> str:
        changing.write_text("later")
        return "out"

    reruns.run(plan, content=change)
    assert why(reruns, plan)["task/a.txt"] == "run: its input `a.txt` changed"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("cat {{ file.path }}", "cat  {{ file.path }}", "its command changed"),
        (
            "  for_each: input\n",
            "  for_each: input\n  environment: {A: b}\n",
            "its command changed",
        ),
        ("sku: server", "sku: minimal", "its image or start task changed"),
        (
            "  nodes: {dedicated: 1}\n",
            "  nodes: {dedicated: 1}\n  start_task: {command: echo}\n",
            "its image or start task changed",
        ),
        ('.out", to', '.out", path: below/, to', "its outputs changed"),
        (
            "  for_each: input\n",
            "  for_each: input\n  resources: [{url: 'https://a.example/x', to: x}]\n",
            "its resource `https://a.example/x` changed",
        ),
        (
            "  for_each: input\n",
            "  for_each: input\n  resources: [{from: input, to: all}]\n",
            "its resource `all/` changed",
        ),
    ],
)
def test_what_counts(reruns: Reruns, old: str, new: str, reason: str) -> None:
    assert old in SPEC
    reruns.run(make_plan(reruns.folder))
    plan = make_plan(reruns.folder, SPEC.replace(old, new))
    assert set(why(reruns, plan).values()) == {f"run: {reason}"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Standard_D2s_v5", "Standard_D4s_v5"),
        ("dedicated: 1", "dedicated: 3"),
        ("  for_each: input\n", "  for_each: input\n  retries: 3\n  timeout: 1h\n"),
        ("containers:", "limits: {duration: 2h}\ncontainers:"),
        ("task:\n", "task:\n  print: stdout\n"),
    ],
)
def test_what_does_not_count(reruns: Reruns, old: str, new: str) -> None:
    assert old in SPEC
    reruns.run(make_plan(reruns.folder))
    plan = make_plan(reruns.folder, SPEC.replace(old, new, 1))
    assert set(why(reruns, plan).values()) == {SAME}


def test_the_target_counts(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan)
    reruns.target = "azure"
    assert set(why(reruns, plan).values()) == {"run: its image or start task changed"}


def test_outputs_are_looked_at(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan)
    output = reruns.home / "output" / "a.out"
    kept = output.read_text()
    output.write_text(kept.swapcase())
    assert why(reruns, plan)["task/a.txt"] == (
        "run: its output `output/a.out` is not as it was left"
    )
    output.unlink()
    assert why(reruns, plan)["task/a.txt"] == "run: its output `output/a.out` is missing"
    output.write_text(kept)
    assert why(reruns, plan)["task/a.txt"] == SAME


def test_tasks_are_known_by_what_they_are(reruns: Reruns) -> None:
    reruns.run(make_plan(reruns.folder, files=("b.txt", "d.txt")))
    plan = make_plan(reruns.folder, files=("a.txt", "b.txt", "c.txt", "d.txt"))
    assert why(reruns, plan) == {
        "task/a.txt": NEW,
        "task/b.txt": SAME,
        "task/c.txt": NEW,
        "task/d.txt": SAME,
    }


def test_earlier_runs_are_not_forgotten(reruns: Reruns) -> None:
    """Back to what was before, with other files: their outputs are still there."""
    first = make_plan(reruns.folder, files=("a.txt",))
    reruns.run(first)
    (reruns.folder / "data" / "a.txt").rename(reruns.folder / "kept")
    reruns.run(make_plan(reruns.folder, files=("b.txt",)))
    (reruns.folder / "kept").rename(reruns.folder / "data" / "a.txt")
    plan = make_plan(reruns.folder)
    assert why(reruns, plan) == {
        "task/a.txt": SAME,
        "task/b.txt": "skip: unchanged since run demo-2",
    }


def test_tasks_that_name_their_run(reruns: Reruns) -> None:
    for word in ("{{ run.id }}", "{{ file.url }}"):
        plan = make_plan(reruns.folder, SPEC.replace("cat {{ file.path }}", f"echo {word}"))
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {"run: it names the run"}


def test_a_failure_runs_again(reruns: Reruns) -> None:
    plan = make_plan(reruns.folder)
    reruns.run(plan, fails=["task/b.txt"])
    assert why(reruns, plan) == {"task/a.txt": SAME, "task/b.txt": "run: it failed in run demo-1"}
    reruns.run(plan)
    reruns.run(plan, force=True, fails=["task/a.txt"])
    assert why(reruns, plan) == {
        "task/a.txt": "run: it failed in run demo-3",
        "task/b.txt": "skip: unchanged since run demo-3",
    }


def test_without_outputs_there_is_nothing_to_keep(reruns: Reruns) -> None:
    for outputs, container in (
        ("", "download: true"),
        ('  outputs: [{pattern: "*", to: output}]\n', "download: false"),
        ('  outputs: [{pattern: "*", to: output, when: failure}]\n', "download: true"),
    ):
        text = SPEC.replace("{download: true}", f"{{{container}}}")
        text = text[: text.index("  outputs:")] + outputs
        plan = make_plan(reruns.folder, text)
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {"run: it leaves nothing that could be kept"}


class TestSteps:
    def test_what_lies_between_steps_is_not_wanted_by_itself(self, reruns: Reruns) -> None:
        plan = steps(reruns)
        assert reruns.run(plan) == [
            "map/a.txt",
            "map/b.txt",
            "again/a.m",
            "again/b.m",
            "sum",
        ]
        between = "skip: unchanged, and nothing that needs it runs"
        assert why(reruns, plan) == {
            "map/a.txt": between,
            "map/b.txt": between,
            "again/a.m": SAME,
            "again/b.m": SAME,
            "sum": SAME,
        }

    def test_whoever_needs_what_runs_runs_too(self, reruns: Reruns) -> None:
        plan = steps(reruns)
        reruns.run(plan)
        (reruns.folder / "data" / "b.txt").write_text("other")
        assert why(reruns, plan) == {
            "map/a.txt": "skip: unchanged, and nothing that needs it runs",
            "map/b.txt": "run: its input `b.txt` changed",
            "again/a.m": SAME,
            "again/b.m": "run: task 0002, which it needs, runs",
            "sum": "run: task 0004, which it needs, runs",
        }

    def test_what_was_not_kept_is_made_again_for_whoever_needs_it(self, reruns: Reruns) -> None:
        plan = steps(reruns)
        reruns.run(plan)
        (reruns.home / "output" / "a.a").unlink()
        assert why(reruns, plan) == {
            "map/a.txt": "run: task 0003 needs what it leaves, which was not kept",
            "map/b.txt": "skip: unchanged, and nothing that needs it runs",
            "again/a.m": "run: its output `output/a.a` is missing",
            "again/b.m": SAME,
            "sum": "run: task 0003, which it needs, runs",
        }
        assert reruns.run(plan) == ["map/a.txt", "again/a.m", "sum"]
        assert set(map(str, why(reruns, plan).values())) == {
            "skip: unchanged, and nothing that needs it runs",
            SAME,
            "skip: unchanged since run demo-2",
        }

    def test_what_others_left_counts_by_its_content(self, reruns: Reruns) -> None:
        """The run died before the sum: it runs if what it needs has become another thing."""
        plan = steps(reruns)
        reruns.run(plan)
        for content, reason in (
            (None, SAME),
            ("changed", "run: what it needs changed"),
        ):
            (reruns.home / "output" / "a.a").unlink()
            say = (lambda task: task.command.script) if content is None else lambda task: "changed"
            reruns.run(plan, content=say, stops_at="sum")
            assert why(reruns, plan)["sum"] == reason

    def test_ends_may_come_home_in_another_order(self, reruns: Reruns) -> None:
        """The sum's own end is told before the last of those that it needs."""
        plan = steps(reruns)
        reruns.run(plan, reverses_ends=True)
        assert why(reruns, plan)["sum"] == SAME
        assert why(reruns, plan)["again/a.m"] == SAME


class TestOnly:
    def test_ids(self, reruns: Reruns) -> None:
        plan = steps(reruns)
        left = "leave: `--only` leaves it out"
        decisions = reruns.decide(plan, only="4")
        assert reasons(plan, decisions) == {
            "map/a.txt": left,
            "map/b.txt": NEW,
            "again/a.m": left,
            "again/b.m": "run: `--only` asks for it",
            "sum": left,
        }
        reruns.run(plan)
        decisions = reruns.decide(plan, only=" 0005")
        assert reasons(plan, decisions)["sum"] == "run: `--only` asks for it"
        assert decisions.count(Action.SKIP) == 4

    def test_failed(self, reruns: Reruns) -> None:
        plan = steps(reruns)
        with pytest.raises(UsageError, match="no run was there before"):
            reruns.decide(plan, only="failed")
        reruns.run(plan, fails=["map/a.txt"], stops_at="again/b.m")
        decisions = reruns.decide(plan, only="failed")
        assert [decisions.action(number).value for number in range(1, 6)] == ["run"] * 5

    def test_new_files_have_not_failed(self, reruns: Reruns) -> None:
        reruns.run(make_plan(reruns.folder), fails=["task/b.txt"])
        plan = make_plan(reruns.folder, files=("a.txt", "aa.txt", "b.txt"))
        assert reasons(plan, reruns.decide(plan, only="failed")) == {
            "task/a.txt": SAME,
            "task/aa.txt": "leave: `--only` leaves it out",
            "task/b.txt": "run: it failed in run demo-1",
        }
        reruns.run(plan, only="2")
        decisions = reruns.decide(plan, only="failed")
        assert [decisions.action(number).value for number in (1, 2, 3)] == ["skip", "skip", "run"]

    @pytest.mark.parametrize("only", ["failed,1", "1,,2", ""])
    def test_neither(self, reruns: Reruns, only: str) -> None:
        with pytest.raises(UsageError) as caught:
            reruns.decide(make_plan(reruns.folder), only=only)
        assert caught.value.message == f"`--only {only}`: neither `failed` nor ids of tasks"

    def test_force_with_ids(self, reruns: Reruns) -> None:
        plan = make_plan(reruns.folder)
        reruns.run(plan)
        assert reasons(plan, reruns.decide(plan, force=True)) == dict.fromkeys(
            ("task/a.txt", "task/b.txt"), "run: `--force` asks for it"
        )
        decisions = reruns.decide(plan, force=True, only="1")
        assert decisions.count(Action.RUN) == 1


class TestContainersOfTheService:
    SPEC = SPEC.replace("{download: true}", "{name: mine, if_not_empty: keep, delete: never}")

    def stored(self, name: str, *, late: timedelta = timedelta()) -> StoredBlob:
        return StoredBlob(name=name, size_bytes=3, md5=None, modified=NOW + late)

    def test_blobs_of_that_run_are_there(self, tmp_path: Path) -> None:
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, self.SPEC)
        reruns.run(plan)
        missing = "run: its output `output/a.out` is not in the service as it was left"
        assert why(reruns, plan)["task/a.txt"] == missing
        reruns.stored = {Role("output"): (self.stored("a.out"), self.stored("b.out"))}
        assert set(why(reruns, plan).values()) == {SAME}
        written = self.stored("a.out", late=timedelta(minutes=1))
        reruns.stored = {Role("output"): (written, self.stored("b.out"))}
        assert why(reruns, plan) == {"task/a.txt": missing, "task/b.txt": SAME}

    WILD = SPEC.replace(
        '[{pattern: "{{ file.stem }}.out", to: output}]',
        '[{pattern: "*.out", to: output, path: "{{ file.stem }}"}]',
    )

    def test_all_blobs_of_a_wildcard_are_there(self, tmp_path: Path) -> None:
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, self.WILD)
        whole = tuple(map(self.stored, ("a/1.out", "a/2.out", "b/1.out")))
        reruns.stored = {Role("output"): whole}
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {SAME}
        missing = "run: its output `output/a` is not in the service as it was left"
        for left in ((), (whole[0],), (whole[0], replace(whole[1], size_bytes=2))):
            reruns.stored = {Role("output"): (*left, whole[2])}
            assert why(reruns, plan) == {"task/a.txt": missing, "task/b.txt": SAME}
        reruns.stored = {Role("output"): tuple(replace(each, md5=b"x" * 16) for each in whole)}
        assert set(why(reruns, plan).values()) == {SAME}

    def test_content_of_a_wildcard_counts_where_the_service_knows_it(self, tmp_path: Path) -> None:
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, self.WILD)
        whole = tuple(replace(self.stored(f"{name}/1.out"), md5=b"x" * 16) for name in "ab")
        reruns.stored = {Role("output"): whole}
        reruns.run(plan)
        reruns.stored = {Role("output"): (replace(whole[0], md5=b"y" * 16), whole[1])}
        missing = "run: its output `output/a` is not in the service as it was left"
        assert why(reruns, plan) == {"task/a.txt": missing, "task/b.txt": SAME}

    def test_of_a_run_that_died_nobody_knows_how_many_blobs_there_were(
        self, tmp_path: Path
    ) -> None:
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, self.WILD)
        reruns.stored = {Role("output"): tuple(map(self.stored, ("a/1.out", "b/1.out")))}
        reruns.run(plan, stops_at="task/b.txt")
        missing = "run: its output `output/a` is not in the service as it was left"
        assert why(reruns, plan)["task/a.txt"] == missing
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {"skip: unchanged since run demo-2"}

    def test_what_is_at_home_is_in_a_container_of_the_users_naming_too(
        self, tmp_path: Path
    ) -> None:
        text = SPEC.replace("{download: true}", "{name: mine, download: true}")
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, text)
        sizes = {task.item[0]: len(task.command.script) for task in plan.tasks}
        blobs = {
            name: replace(self.stored(f"{name}.out"), size_bytes=size)
            for name, size in sizes.items()
        }
        reruns.run(plan)
        reruns.stored = {Role("output"): (blobs["a"], blobs["b"])}
        assert set(why(reruns, plan).values()) == {SAME}
        reruns.stored = {Role("output"): (blobs["b"],)}
        missing = "run: its output `output/a.out` is not in the service as it was left"
        assert why(reruns, plan) == {"task/a.txt": missing, "task/b.txt": SAME}
        reruns.stored = {}
        other = make_plan(tmp_path, text.replace("mine", "yours"))
        assert why(reruns, other) == {
            "task/a.txt": missing,
            "task/b.txt": missing.replace("a.out", "b.out"),
        }
        gone = make_plan(tmp_path, text.replace("mine,", "mine, delete: after-run,"))
        assert set(why(reruns, gone).values()) == {SAME}

    def test_a_container_that_is_cleared_keeps_nothing(self, tmp_path: Path) -> None:
        reruns = Reruns(folder=tmp_path, target="azure")
        plan = make_plan(tmp_path, self.SPEC.replace("keep", "clear", 1))
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {"run: it leaves nothing that could be kept"}

    def test_existing_blobs_count_by_what_the_listing_says(self, tmp_path: Path) -> None:
        text = SPEC.replace("upload: [{from: data}]", "existing: mine")
        blobs = tuple(
            StoredBlob(name=name, size_bytes=1, md5=md5, modified=NOW)
            for name, md5 in (("a.txt", b"a" * 16), ("b.txt", None))
        )
        reruns = Reruns(folder=tmp_path, target="azure", stored={Role("input"): blobs})
        plan = make_plan(tmp_path, text, stored=reruns.stored)
        reruns.run(plan)
        assert set(why(reruns, plan).values()) == {SAME}
        reruns.stored = {
            Role("input"): (
                replace(blobs[0], modified=NOW + timedelta(days=1)),
                replace(blobs[1], modified=NOW + timedelta(hours=1)),
            )
        }
        assert why(reruns, plan) == {
            "task/a.txt": SAME,
            "task/b.txt": "run: its input `b.txt` changed",
        }
