"""Pools that outlive a job: each answer of the service, and what we ask it next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from runner.errors import ServiceError, ServiceRefusedError
from runner.remote.batch import RemoteBatch
from runner.remote.expiry import write_expiry
from runner.run.services import Expiry, PoolRequest
from runner.spec.model.pool import Autoscale, FixedNodes
from tests.unit.remote.samples import COMMAND, POOL, POOL_REQUEST
from tests.unit.remote.stub import (
    START,
    Canned,
    Pauses,
    Seen,
    Stub,
    batch_answer,
    batch_error,
)

REQUEST = replace(POOL_REQUEST, metadata={"batch-run": "cat-2", "pool": "0a1b"})
EXISTS = batch_error(409, "PoolExists", "The specified pool already exists.")
GOING = batch_error(409, "PoolBeingDeleted", "The specified pool is being deleted.")
GONE = batch_error(404, "PoolNotFound", "The specified pool does not exist.")
SOON = batch_error(503, "TooManyEnableAutoScaleRequests", "Too many requests.")
BUSY = batch_error(409, "PoolBeingResized", "The specified pool is being resized.")
MADE = Canned(status=201)
TAKEN = Canned(status=202)


def found(
    *,
    same: str | None = "0a1b",
    run: str = "cat-1",
    nodes: int = 2,
    target: int = 2,
    allocation: str = "steady",
    autoscale: bool = False,
    state: str = "active",
    formula: str | None = None,
) -> Canned:
    """A pool that is there."""
    metadata = [{"name": "batch-run", "value": run}]
    if same is not None:
        metadata.append({"name": "pool", "value": same})
    return batch_answer(
        {
            "id": "p",
            "state": state,
            "allocationState": allocation,
            "currentDedicatedNodes": nodes,
            "currentLowPriorityNodes": 0,
            "targetDedicatedNodes": target,
            "targetLowPriorityNodes": 0,
            "enableAutoScale": autoscale or formula is not None,
            **({} if formula is None else {"autoScaleFormula": formula}),
            "metadata": metadata,
        }
    )


def asked(stub: Stub) -> list[tuple[str, str]]:
    """Methods and paths, in order."""
    return [(seen.method, seen.path.removeprefix("/acct")) for seen in stub.seen]


CREATE, SHOW = ("POST", "/pools"), ("GET", "/pools/p")
RESIZE = ("POST", "/pools/p/resize")
ENABLE, DISABLE = ("POST", "/pools/p/enableautoscale"), ("POST", "/pools/p/disableautoscale")


def test_a_pool_is_created(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(MADE)

    assert batch.create_pool("p", REQUEST) is True

    (create,) = stub.seen
    assert (create.method, create.path) == ("POST", "/acct/pools")
    assert create.json["id"] == "p"
    assert create.json["targetDedicatedNodes"] == 2
    assert create.json["metadata"] == [
        {"name": "batch-run", "value": "cat-2"},
        {"name": "pool", "value": "0a1b"},
    ]


def test_a_pool_whose_answer_was_lost_was_created(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(500, "InternalError", "Oops."), EXISTS, found(run="cat-2", nodes=0))

    assert batch.create_pool("p", REQUEST) is True
    assert asked(stub) == [CREATE, CREATE, SHOW]


def test_the_same_pool_is_used_as_it_is(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(EXISTS, found())

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, SHOW]


@pytest.mark.parametrize("same", [None, "ffff"])
def test_another_pool_of_this_name_is_refused(
    batch: RemoteBatch, stub: Stub, same: str | None
) -> None:
    stub.answer(EXISTS, found(same=same))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_pool("p", REQUEST)

    assert caught.value.code == "PoolExists"
    assert caught.value.message == (
        "Azure Batch has a pool `p` already, which was not made as this one would be"
    )
    assert caught.value.hint == "delete it, or give the workload another name"


def test_a_pool_that_says_not_what_it_is_stands_for_none(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(EXISTS, found(same=None))

    with pytest.raises(ServiceRefusedError):
        batch.create_pool("p", replace(REQUEST, metadata={"batch-run": "cat-2"}))


@pytest.mark.parametrize(
    "answers",
    [
        [GOING, found(state="deleting"), GONE, MADE],
        [EXISTS, found(state="deleting"), found(state="deleting"), GONE, MADE],
        # It went between two questions.
        [EXISTS, GONE, GONE, MADE],
    ],
)
def test_a_pool_that_is_going_is_waited_for(
    batch: RemoteBatch, stub: Stub, answers: list[Canned]
) -> None:
    stub.answer(*answers)

    assert batch.create_pool("p", REQUEST) is True
    assert len(stub.seen) == len(answers)


def test_a_pool_that_never_goes_ends_our_patience(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(GOING, found(state="deleting"))

    with pytest.raises(ServiceError) as caught:
        batch.create_pool("p", REQUEST)

    assert caught.value.message == "pool `p` is still being deleted after 15 minutes"
    assert sum(pauses.seconds) < 906


@pytest.mark.parametrize(
    "before", [found(nodes=1, target=1), found(nodes=1), found(nodes=0, target=0)]
)
def test_a_pool_of_another_size_is_resized(batch: RemoteBatch, stub: Stub, before: Canned) -> None:
    stub.answer(EXISTS, before, before, TAKEN)

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, SHOW, RESIZE]
    assert stub.seen[-1].json == {
        "targetDedicatedNodes": 2,
        "targetLowPriorityNodes": 0,
        "nodeDeallocationOption": "taskcompletion",
    }


def test_nodes_under_way_are_waited_for_by_the_tasks_alone(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(EXISTS, found(nodes=0, allocation="resizing"))

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, SHOW]


def test_a_resize_waits_for_the_one_before(batch: RemoteBatch, stub: Stub, pauses: Pauses) -> None:
    shrinking = found(target=0, allocation="resizing")
    stub.answer(EXISTS, shrinking, shrinking, BUSY, found(nodes=0, target=0), TAKEN)

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, SHOW, RESIZE, SHOW, RESIZE]
    assert pauses.seconds == [0.05]


def test_a_resize_that_never_ends_is_told(batch: RemoteBatch, stub: Stub, pauses: Pauses) -> None:
    def answer(seen: Seen) -> Canned:
        if seen.method == "GET":
            return found(target=0, allocation="resizing")
        return BUSY if seen.path.endswith("/resize") else EXISTS

    stub.answer(answer)

    with pytest.raises(ServiceError) as caught:
        batch.create_pool("p", REQUEST)

    assert caught.value.message == "pool `p` is still being resized after 20 minutes"
    assert 1200 <= sum(pauses.seconds) < 1206


def test_an_expiry_of_before_is_called_off(batch: RemoteBatch, stub: Stub) -> None:
    before = found(nodes=0, target=0, autoscale=True)
    stub.answer(EXISTS, before, BUSY, Canned(), found(nodes=0, target=0), TAKEN)

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, DISABLE, DISABLE, SHOW, RESIZE]


def test_new_nodes_get_the_files_of_this_run(batch: RemoteBatch, stub: Stub) -> None:
    before = found(nodes=1, target=1)
    stub.answer(EXISTS, before, Canned(), before, TAKEN)

    assert batch.create_pool("p", replace(REQUEST, start_task=COMMAND)) is False
    assert asked(stub) == [CREATE, SHOW, ("PATCH", "/pools/p"), SHOW, RESIZE]
    assert list(stub.seen[2].json) == ["startTask"]
    assert stub.seen[2].json["startTask"]["resourceFiles"][1] == {
        "httpUrl": "http://h/c/run.sh?sig=s",
        "filePath": "run.sh",
        "fileMode": "0755",
    }


SCALING: PoolRequest = replace(
    REQUEST,
    pool=replace(
        POOL,
        size=Autoscale(
            formula="$TargetDedicatedNodes = 3;",
            interval=timedelta(minutes=10),
            scenario=None,
            pointer=("pool", "nodes"),
        ),
    ),
)


def test_a_pool_that_scales_by_itself_gets_its_formula(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(EXISTS, found(), Canned())

    assert batch.create_pool("p", SCALING) is False
    assert asked(stub) == [CREATE, SHOW, ENABLE]
    assert stub.seen[-1].json == {
        "autoScaleFormula": "$TargetDedicatedNodes = 3;",
        "autoScaleEvaluationInterval": "PT600S",
    }


def test_other_refusals_are_told(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(409, "PoolQuotaReached", "The account has too many pools."))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_pool("p", REQUEST)

    assert caught.value.message == (
        "Azure Batch refused to create pool `p`: PoolQuotaReached: The account has too many pools"
    )


SIZE = FixedNodes(dedicated=2, spot=5)


def test_the_service_itself_ends_the_nodes(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(Canned())

    at = START.astimezone(timezone(timedelta(hours=2)))

    assert batch.expire_pool("p", Expiry(size=SIZE, at=at)) is True

    assert asked(stub) == [ENABLE]
    assert stub.seen[0].json == {
        "autoScaleEvaluationInterval": "PT300S",
        "autoScaleFormula": (
            'keeps = time() < time("2025-03-28T18:00:00Z");\n'
            "$TargetDedicatedNodes = keeps ? 2 : 0;\n"
            "$TargetLowPriorityNodes = keeps ? 5 : 0;\n"
            "$NodeDeallocationOption = taskcompletion;"
        ),
    }


@pytest.mark.parametrize("refusal", [SOON, BUSY])
def test_an_end_that_comes_too_soon_is_not_waited_for(
    batch: RemoteBatch, stub: Stub, pauses: Pauses, refusal: Canned
) -> None:
    stub.answer(refusal)

    assert batch.expire_pool("p", Expiry(size=SIZE, at=START)) is False

    assert asked(stub) == [ENABLE]
    assert pauses.seconds == []


def test_a_service_that_is_busy_is_asked_again(batch: RemoteBatch, stub: Stub) -> None:
    busy = batch_error(503, "ServerBusy", "The server is busy.")
    stub.answer(busy, busy, Canned())

    assert batch.expire_pool("p", Expiry(size=SIZE, at=START)) is True
    assert asked(stub) == [ENABLE] * 3


def test_the_users_formula_waits_until_it_is_taken(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(EXISTS, found(), *[SOON] * 3, Canned())

    assert batch.create_pool("p", SCALING) is False

    assert asked(stub) == [CREATE, SHOW, *[ENABLE] * 4]
    assert 6 <= sum(pauses.seconds) < 7


def expiring(at: datetime, *, dedicated: int = 2) -> str:
    """The formula of a pool that was kept until then."""
    return write_expiry(Expiry(size=FixedNodes(dedicated=dedicated, spot=0), at=at))


MAY_EXPIRE = replace(REQUEST, may_expire=True)


def test_an_end_that_comes_late_enough_stands(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(EXISTS, found(formula=expiring(START + timedelta(minutes=3, seconds=5))))

    assert batch.create_pool("p", MAY_EXPIRE) is False
    assert asked(stub) == [CREATE, SHOW]


def test_a_pool_that_stays_for_ever_loses_its_end(batch: RemoteBatch, stub: Stub) -> None:
    before = found(formula=expiring(START + timedelta(hours=1)))
    stub.answer(EXISTS, before, Canned(), found())

    assert batch.create_pool("p", REQUEST) is False
    assert asked(stub) == [CREATE, SHOW, DISABLE, SHOW]


@pytest.mark.parametrize(
    "before",
    [
        found(formula=expiring(START + timedelta(minutes=2))),
        found(formula=expiring(START + timedelta(hours=1), dedicated=1), nodes=1, target=1),
        found(formula=expiring(START + timedelta(hours=1), dedicated=3), nodes=3, target=3),
        # The service could not give all of them.
        found(formula=expiring(START + timedelta(hours=1)), nodes=1),
        found(formula="$TargetDedicatedNodes = 2;"),
    ],
)
def test_any_other_end_is_called_off(batch: RemoteBatch, stub: Stub, before: Canned) -> None:
    stub.answer(EXISTS, before, Canned(), found(nodes=0, target=0), TAKEN)

    assert batch.create_pool("p", MAY_EXPIRE) is False
    assert asked(stub) == [CREATE, SHOW, DISABLE, SHOW, RESIZE]


def test_the_end_of_a_pool_is_told(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(found(formula=expiring(START)), found(formula="$TargetDedicatedNodes = 2;"))

    ending, scaling = batch.pool_status("p"), batch.pool_status("p")

    assert ending is not None
    assert ending.expiry == Expiry(
        size=FixedNodes(dedicated=2, spot=0), at=START.replace(microsecond=0)
    )
    assert scaling is not None
    assert scaling.expiry is None


def test_a_pool_that_is_gone_cannot_expire(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(GONE)

    with pytest.raises(ServiceRefusedError) as caught:
        batch.expire_pool("p", Expiry(size=SIZE, at=START))

    assert caught.value.code == "PoolNotFound"
    assert caught.value.message == (
        "Azure Batch refused to let pool `p` end its nodes by itself: PoolNotFound: "
        "The specified pool does not exist"
    )
