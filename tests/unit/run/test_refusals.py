"""A refusal is shown at the line of the spec that it is about."""

from __future__ import annotations

import pytest

from runner.errors import Refusal, ServiceError, ServiceRefusedError
from runner.run.advice import advise
from runner.run.refusals import show_place
from runner.spec.document import Document, read_document
from runner.spec.messages import render_problem
from runner.spec.problem import SpecRefusedError

SPEC = """\
version: 1
pool:
  vm_size: Standard_Nope
  network:
    subnet: /subscriptions/s
  start_task:
    command: |
      one
      two
  nodes: {dedicated: 1}
task: {command: "true"}
"""
MESSAGE = "Azure Batch refused to create job `x`: Code: words"


def document() -> Document:
    found, problems = read_document("spec.yaml", SPEC.encode())
    assert found is not None, problems
    return found


def refused(
    code: str = "InvalidPropertyValue",
    *,
    name: str | None = None,
    value: str | None = None,
    reason: str | None = None,
    place: tuple[str | int, ...] | None,
    hint: str | None = None,
) -> ServiceRefusedError:
    refusal = Refusal(
        service="Azure Batch",
        code=code,
        words="It is not valid",
        property=name,
        value=value,
        reason=reason,
        place=place,
    )
    return ServiceRefusedError(MESSAGE, code=code, hint=hint, refusal=refusal)


def shown(error: ServiceRefusedError) -> str:
    found = show_place(error, document())
    assert isinstance(found, SpecRefusedError)
    assert found.code == error.code
    assert found.exit_code == 3
    assert found.message == render_problem(found.problem).splitlines()[0]
    return render_problem(found.problem)


def test_the_value_the_reason_and_the_line_are_shown() -> None:
    error = refused(
        name="vmSize", value="Standard_Nope", reason="No such size", place=("pool", "vm_size")
    )
    assert shown(error) == (
        "spec.yaml:3:12: refused: Azure Batch refused `vmSize: Standard_Nope`: No such size"
        " (InvalidPropertyValue)\n"
        "    vm_size: Standard_Nope\n"
        "             ^^^^^^^^^^^^^"
    )


def test_without_a_reason_the_services_words_are_shown() -> None:
    error = refused(name="subnetId", value=" ", place=("pool", "network", "subnet"))
    assert shown(error) == (
        "spec.yaml:5:13: refused: Azure Batch refused `subnetId`: It is not valid"
        " (InvalidPropertyValue)\n"
        "      subnet: /subscriptions/s\n"
        "              ^^^^^^^^^^^^^^^^"
    )


def test_what_a_default_has_set_is_told_at_what_is_nearest() -> None:
    error = refused(
        name="taskSlotsPerNode", value="1", reason="Less", place=("pool", "task_slots_per_node")
    )
    assert shown(error) == (
        "spec.yaml:2:1: refused: Azure Batch refused `taskSlotsPerNode: 1`: Less"
        " (InvalidPropertyValue)\n"
        "  pool:\n"
        "  ^^^^\n"
        "hint: `pool.task_slots_per_node` is not in the spec: batch-run or a default has set it"
    )


def test_of_a_part_of_several_lines_its_key_is_shown() -> None:
    error = refused("PoolQuotaReached", place=("pool",))
    assert shown(error) == (
        f"spec.yaml:2:1: refused: {MESSAGE}\n"
        "  pool:\n"
        "  ^^^^\n"
        "hint: delete pools that nobody needs (`az batch pool list --query [].id`), or ask for more"
        " under Quotas of the Batch account in the Azure portal (pools)"
    )


def test_a_hint_that_the_error_has_stays() -> None:
    error = refused(place=("pool", "vm_size"), hint="do that")
    assert shown(error).splitlines()[-1] == "hint: do that"


@pytest.mark.parametrize("place", [None, ("job", "priority")])
def test_what_the_spec_says_nothing_of_stays_one_line(place: tuple[str, ...] | None) -> None:
    error = refused("ActiveJobAndScheduleQuotaReached", place=place)
    found = show_place(error, document())
    assert not isinstance(found, SpecRefusedError)
    assert found.message == MESSAGE
    assert found.hint == advise("ActiveJobAndScheduleQuotaReached")


def test_other_errors_stay_as_they_are() -> None:
    for error in (ServiceError("x"), ServiceRefusedError("y", code="z")):
        assert show_place(error, document()) is error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccountCoreQuotaReached", "dedicated cores"),
        ("SomeNewQuotaReached", "Quotas of the Batch account"),
        ("VMSizeNotSupported", "list-skus"),
        ("ImageVersionDeprecated", "supported-images"),
        ("SpotUnavailable", "`dedicated` nodes"),
    ],
)
def test_advice_goes_by_the_code(code: str, words: str) -> None:
    assert words in (advise(code) or "")


def test_there_is_no_advice_for_what_nobody_knows() -> None:
    assert advise("InternalError") is None


@pytest.mark.parametrize(
    ("code", "name"),
    [("InvalidPropertyValue", "autoScaleFormula"), ("InvalidAutoScalingSettings", None)],
)
def test_why_nodes_are_asked_for_by_a_formula(code: str, name: str | None) -> None:
    error = refused(code, name=name, place=("pool", "nodes"))
    assert shown(error).splitlines()[-1].strip() == (
        "hint: `nodes` are asked for by a formula, so that the service takes them once no task"
        " needs them; where it takes none, name a pool of your own with `existing`"
    )
    other = refused("AccountCoreQuotaReached", name=None, place=("pool", "nodes"))
    assert "formula" not in shown(other)
