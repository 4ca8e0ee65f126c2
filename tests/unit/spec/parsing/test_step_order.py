"""The order in which steps can run, and the circles in which none can."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from runner.spec.document import read_document
from runner.spec.model.step import Step
from runner.spec.parsing.parse import parse_workload
from runner.spec.parsing.step_order import find_circles, needed_by, order_steps

HEAD = """\
version: 1
name: topics
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
tasks:
"""


def steps_of(needs: Mapping[str, str]) -> tuple[Step, ...]:
    """Steps as a workload has them: the needs of each are letters."""
    text = HEAD + "".join(
        f"  {name}: {{command: echo, needs: [{', '.join(each)}]}}\n" for name, each in needs.items()
    )
    document, _ = read_document("x", text.encode())
    assert document is not None
    parsed = parse_workload(document, {})
    workload, problems = parsed.workload, parsed.problems
    assert workload is not None, problems
    return workload.steps


def names(steps: tuple[Step, ...]) -> str:
    return "".join(step.name for step in steps)


def test_a_workload_has_its_steps_in_an_order_to_run_them() -> None:
    assert names(steps_of({"a": "", "b": "", "c": ""})) == "abc"
    assert names(steps_of({"a": "c", "b": "", "c": ""})) == "bca"
    assert names(steps_of({"a": "b", "b": "c", "c": "d", "d": ""})) == "dcba"
    assert names(steps_of({"a": "d", "b": "", "c": "b", "d": ""})) == "bcda"


def test_steps_without_an_order_stand_last() -> None:
    assert names(steps_of({"a": "b", "b": "a", "c": "a", "d": ""})) == "dabc"
    assert names(steps_of({"a": "z", "b": "ya"})) == "ab"


def test_circles() -> None:
    assert list(find_circles(steps_of({"a": "", "b": "a"}))) == []
    assert list(find_circles(steps_of({"a": "a"}))) == [("a",)]
    assert list(find_circles(steps_of({"a": "b", "b": "c", "c": "b", "d": "a"}))) == [("b", "c")]
    assert list(find_circles(steps_of({"a": "b", "b": "a", "c": "ad", "d": "c"}))) == [
        ("a", "b"),
        # `c` also waits for the first circle, which hides its own until that one is gone.
    ]
    assert list(find_circles(steps_of({"a": "b", "b": "a", "c": "d", "d": "c"}))) == [
        ("a", "b"),
        ("c", "d"),
    ]


def test_all_that_a_step_waits_for() -> None:
    steps = steps_of({"a": "", "b": "a", "c": "b", "d": "z"})
    by_name = {step.name: step for step in steps}
    assert {name: set(needed_by(steps, step)) for name, step in by_name.items()} == {
        "a": set(),
        "b": {"a"},
        "c": {"a", "b"},
        "d": set(),
    }


LETTERS = "abcdefg"


@given(
    st.dictionaries(
        st.sampled_from(LETTERS), st.sets(st.sampled_from(LETTERS)).map(sorted), min_size=1
    )
)
def test_either_every_step_stands_behind_its_needs_or_there_is_a_circle(
    needs: dict[str, list[str]],
) -> None:
    steps = steps_of({name: "".join(each) for name, each in needs.items()})
    assert sorted(names(steps)) == sorted(needs)
    assert order_steps(steps) == steps
    place = {step.name: index for index, step in enumerate(steps)}
    fits = all(
        place[need] < place[step.name] for step in steps for need in step.needs if need in place
    )
    circles = list(find_circles(steps))
    assert fits == (not circles)
    by_name = {step.name: step for step in steps}
    for circle in circles:
        for step, need in zip(circle, circle[1:] + circle[:1], strict=True):
            assert need in by_name[step].needs
