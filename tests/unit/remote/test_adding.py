"""Every task is added or named, whatever the service makes of a collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from runner.errors import ServiceRefusedError, ServiceTroubleError
from runner.remote.adding import Body, Entry, Result, add_in_collections, collections
from runner.remote.faults import Origin
from runner.remote.trouble import Trouble
from tests.unit.remote.stub import Pauses

ORIGIN = Origin(service="Azure Batch", endpoint="http://127.0.0.1/acct")


def success(body: Body) -> Result:
    return {"taskId": body["id"], "status": "Success"}


def failure(body: Body, status: str, code: str, **values: str) -> Result:
    return {
        "taskId": body["id"],
        "status": status,
        "error": {
            "code": code,
            "message": {"lang": "en-US", "value": f"It is {code}.\nRequestId:1"},
            "values": [{"key": key, "value": value} for key, value in values.items()],
        },
    }


def bodies(count: int) -> list[Body]:
    return [{"id": str(number)} for number in range(count)]


class Service:
    """Answers each collection by one function for each task."""

    def __init__(self, answer: Callable[[Body], Result | None]) -> None:
        self.answer = answer
        self.sizes: list[int] = []

    def send(self, collection: Sequence[Entry]) -> Sequence[Result]:
        self.sizes.append(len(collection))
        assert [json.loads(entry.text) for entry in collection] == [e.body for e in collection]
        results = [self.answer(entry.body) for entry in collection]
        return [result for result in reversed(results) if result is not None]


def add(tasks: list[Body], service: Service, pauses: Pauses) -> None:
    add_in_collections(
        tasks, service.send, origin=ORIGIN, trouble=Trouble("Azure Batch", pauses.endurance())
    )


def test_collections_hold_a_hundred_tasks_and_less_than_a_megabyte() -> None:
    assert [len(group) for group in collections(bodies(250))] == [100, 100, 50]

    large = [{"id": str(number), "x": "y" * 400_000} for number in range(5)]
    assert [len(group) for group in collections(large)] == [2, 2, 1]
    assert [len(group) for group in collections([{"id": "1", "x": "y" * 2_000_000}])] == [1]
    assert list(collections([])) == []


@pytest.mark.parametrize("status", ["Success", "success"])
def test_success_is_read_in_any_case(status: str, pauses: Pauses) -> None:
    service = Service(lambda body: {"taskId": body["id"], "status": status})

    add(bodies(101), service, pauses)

    assert service.sizes == [100, 1]
    assert pauses.seconds == []


@pytest.mark.parametrize("status", ["ClientError", "clienterror"])
def test_a_task_that_exists_counts_as_added(status: str, pauses: Pauses) -> None:
    add(bodies(2), Service(lambda body: failure(body, status, "TaskExists")), pauses)


@pytest.mark.parametrize("status", ["ClientError", "clienterror"])
def test_a_refused_task_is_named_with_property_and_reason(status: str, pauses: Pauses) -> None:
    def answer(body: Body) -> Result:
        if body["id"] in ("3", "5"):
            return failure(
                body, status, "InvalidPropertyValue", PropertyName="commandLine", Reason="Too long."
            )
        return success(body)

    with pytest.raises(ServiceRefusedError) as caught:
        add(bodies(9), Service(answer), pauses)

    assert caught.value.code == "InvalidPropertyValue"
    assert caught.value.message == (
        "Azure Batch refused to add task `3` and 1 more: InvalidPropertyValue: "
        "It is InvalidPropertyValue (PropertyName: commandLine, Reason: Too long)"
    )


def test_a_server_error_is_tried_again_alone(pauses: Pauses) -> None:
    tried: dict[str, int] = {}

    def answer(body: Body) -> Result:
        tried[body["id"]] = tried.get(body["id"], 0) + 1
        if body["id"] == "1" and tried["1"] < 3:
            return failure(body, "ServerError", "ServerBusy")
        return success(body)

    service = Service(answer)
    add(bodies(3), service, pauses)

    assert service.sizes == [3, 1, 1]
    assert pauses.seconds == [0.8, 1.6]


def test_a_task_without_a_result_is_sent_again(pauses: Pauses) -> None:
    answers: list[Any] = [None, success({"id": "0"})]
    service = Service(lambda _body: answers.pop(0))

    add(bodies(1), service, pauses)

    assert service.sizes == [1, 1]


@pytest.mark.parametrize("status", ["ServerError", "servererror"])
def test_server_errors_end_our_patience(status: str, pauses: Pauses) -> None:
    service = Service(lambda body: failure(body, status, "ServerBusy"))

    with pytest.raises(ServiceTroubleError) as caught:
        add(bodies(2), service, pauses)

    assert caught.value.message == (
        "Azure Batch could not add task `0` and 1 more: it has answered ServerBusy for 15m,"
        " since 2025-03-28T18:00:00Z: It is ServerBusy"
    )
    assert set(service.sizes) == {2}
    assert sum(pauses.seconds) == pytest.approx(900)


def test_results_in_another_order_and_twice_are_read_by_their_ids(pauses: Pauses) -> None:
    sent: list[list[str]] = []

    def send(collection: Sequence[Entry]) -> Sequence[Result]:
        tasks = [entry.body for entry in collection]
        sent.append([body["id"] for body in tasks])
        if len(sent) > 1:
            return [success(body) for body in tasks]
        late = failure(tasks[2], "ServerError", "ServerBusy")
        return [late, success(tasks[1]), success(tasks[0]), success(tasks[1])]

    add_in_collections(
        bodies(3), send, origin=ORIGIN, trouble=Trouble("Azure Batch", pauses.endurance())
    )

    assert sent == [["0", "1", "2"], ["2"]]


def test_of_two_results_for_a_task_the_one_that_added_it_counts(pauses: Pauses) -> None:
    sent: list[int] = []

    def send(collection: Sequence[Entry]) -> Sequence[Result]:
        sent.append(len(collection))
        body = collection[0].body
        return [success(body), failure(body, "ClientError", "TaskExists")]

    add_in_collections(
        bodies(1), send, origin=ORIGIN, trouble=Trouble("Azure Batch", pauses.endurance())
    )

    assert sent == [1]
