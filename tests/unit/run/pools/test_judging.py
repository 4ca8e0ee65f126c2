"""What a pool and its nodes say of the chances of a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import ExitCode
from runner.run.pools.judging import PoolJudge, PoolUnusableError, StartTaskFailedError, unusable
from runner.run.services import NodeStatus, PoolStatus
from runner.spec.document import Pointer

POOL = PoolStatus(
    state="active",
    allocation_state="steady",
    dedicated_nodes=3,
    spot_nodes=0,
    target_dedicated_nodes=3,
    target_spot_nodes=0,
    resize_errors=(),
)
IDLE = NodeStatus(id="a", state="idle", start_task_exit_code=0, start_task_failure=None)
FAILED = replace(IDLE, state="starttaskfailed", start_task_exit_code=3)
NO_FILE = replace(FAILED, start_task_exit_code=None, start_task_failure="BlobNotFound: none")
BROKEN = replace(IDLE, state="unusable", errors=("DiskFull: no room",))


class Scene:
    """A judge whose words are kept."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.judge = PoolJudge(tell=self.told.append, hint=lambda: "its errors are above")
        self.now = 0.0

    def look(self, *nodes: NodeStatus, pool: PoolStatus = POOL, later: float = 0.0) -> None:
        self.now += later
        self.judge.judge(pool, nodes, self.now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_of_a_pool_that_is_well_nobody_is_told(scene: Scene) -> None:
    scene.look(IDLE, IDLE, IDLE)
    scene.look(IDLE, IDLE, IDLE, later=100_000)
    assert scene.told == []


@pytest.mark.parametrize(
    ("nodes", "lines"),
    [
        (
            (FAILED, IDLE, IDLE),
            [
                (
                    "note: the start task failed on 1 of 3 nodes (exit code 3):"
                    " the run goes on with the other 2 nodes"
                )
            ],
        ),
        (
            (FAILED, NO_FILE, IDLE),
            ["note: the start task failed on 2 of 3 nodes (for various reasons): one node is left"],
        ),
        (
            (BROKEN, IDLE, IDLE),
            [
                (
                    "note: 1 of 3 nodes is unusable (DiskFull: no room):"
                    " the run goes on with the other 2 nodes"
                )
            ],
        ),
        (
            (BROKEN, FAILED, IDLE),
            [
                "note: the start task failed on 1 of 3 nodes (exit code 3): one node is left",
                "note: 1 of 3 nodes is unusable (DiskFull: no room): one node is left",
            ],
        ),
    ],
)
def test_some_nodes_that_are_lost_are_a_note(
    scene: Scene, nodes: tuple[NodeStatus, ...], lines: list[str]
) -> None:
    scene.look(*nodes)
    scene.look(*nodes, later=1000)
    assert scene.told == lines


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((FAILED, FAILED), "the start task failed on every node (exit code 3)"),
        ((NO_FILE,), "the start task failed on every node (BlobNotFound: none)"),
        ((FAILED, NO_FILE), "the start task failed on every node (for various reasons)"),
    ],
)
def test_a_start_task_that_failed_everywhere_ends_the_run_at_once(
    scene: Scene, nodes: tuple[NodeStatus, ...], message: str
) -> None:
    with pytest.raises(StartTaskFailedError) as caught:
        scene.look(*nodes)
    assert (caught.value.message, caught.value.hint) == (message, "its errors are above")
    assert caught.value.exit_code == ExitCode.TASKS_FAILED


def test_nodes_that_are_all_unusable_end_the_run_once_nothing_has_mended_them(
    scene: Scene,
) -> None:
    scene.look(BROKEN, BROKEN)
    scene.look(BROKEN, BROKEN, later=59)
    with pytest.raises(PoolUnusableError) as caught:
        scene.look(BROKEN, BROKEN, later=1)
    assert caught.value.message == "every node of the pool is unusable (DiskFull: no room)"
    assert caught.value.code == "DiskFull"
    assert caught.value.hint == (
        "the service cannot use the machines that it got: look at the image, the VM size, and the"
        " rules and routes of a subnet of your own"
    )
    assert caught.value.exit_code == ExitCode.SERVICE


def test_nodes_that_nothing_is_said_of_have_no_code_of_the_services(scene: Scene) -> None:
    bare = replace(BROKEN, errors=())
    scene.look(bare)
    with pytest.raises(PoolUnusableError) as caught:
        scene.look(bare, later=60)
    assert caught.value.message == "every node of the pool is unusable (no reason is given)"
    assert caught.value.code == "Unusable"


def test_a_node_that_is_mended_begins_the_wait_anew(scene: Scene) -> None:
    scene.look(BROKEN)
    scene.look(IDLE, later=59)
    scene.look(BROKEN, later=1)
    scene.look(BROKEN, later=59)
    with pytest.raises(PoolUnusableError):
        scene.look(BROKEN, later=1)


def test_unusable_nodes_beside_failed_start_tasks_end_the_run(scene: Scene) -> None:
    bare = replace(BROKEN, errors=())
    scene.look(bare, FAILED)
    with pytest.raises(StartTaskFailedError) as caught:
        scene.look(bare, FAILED, later=60)
    assert caught.value.message == (
        "the start task failed on 1 of 2 nodes (exit code 3), and the others are unusable"
        " (no reason is given)"
    )


def test_nothing_is_judged_while_nodes_come_or_go(scene: Scene) -> None:
    moving = replace(POOL, allocation_state="resizing", resize_errors=("AllocationFailed: none",))
    scene.look(FAILED, pool=moving)
    scene.look(pool=moving)
    assert scene.told == []


@pytest.mark.parametrize(
    ("said", "place", "hint"),
    [
        ("AccountCoreQuotaReached: all used", ("pool", "nodes"), "dedicated cores"),
        ("AccountVMSeriesCoreQuotaReached: all used", ("pool", "vm_size"), "cores of the series"),
        ("AllocationFailed: none left", ("pool", "nodes"), "try again later"),
        ("AllocationTimedout: none left", ("pool", "nodes"), "resizeTimeout: PT30M"),
        ("VMSizeNotSupported: not here", ("pool", "vm_size"), "list-skus"),
        ("ImageVersionDeprecated: too old", ("pool", "image"), "supported-images"),
        ("SubnetFull: no address", ("pool", "network", "subnet"), "ask for fewer nodes"),
        ("Whatever", ("pool",), "ask for fewer nodes, another VM size, or more quota"),
    ],
)
def test_a_resize_that_gave_no_node_ends_the_run_with_what_to_do(
    scene: Scene, said: str, place: Pointer, hint: str
) -> None:
    pool = replace(POOL, dedicated_nodes=0, resize_errors=(said, "Other: words"))
    with pytest.raises(PoolUnusableError) as caught:
        scene.look(pool=pool)
    assert caught.value.message == f"the pool has no nodes: {said}; Other: words"
    assert caught.value.refusal is not None
    assert caught.value.refusal.place == place
    assert hint in (caught.value.hint or "")


def test_a_resize_that_gave_some_nodes_is_a_note(scene: Scene) -> None:
    pool = replace(POOL, dedicated_nodes=2, resize_errors=("AllocationFailed: none left",))
    scene.look(IDLE, IDLE, pool=pool)
    scene.look(IDLE, IDLE, pool=pool)
    assert scene.told == [
        "note: the pool has 2 of 3 nodes, and goes on so: AllocationFailed: none left"
    ]


def test_errors_of_a_resize_that_gave_all_in_the_end_are_nothing(scene: Scene) -> None:
    scene.look(IDLE, IDLE, IDLE, pool=replace(POOL, resize_errors=("AllocationFailed: x",)))
    assert scene.told == []


def test_a_pool_that_long_has_no_nodes_is_a_note(scene: Scene) -> None:
    waiting = replace(POOL, dedicated_nodes=0, allocation_state="resizing")
    scene.look(pool=waiting)
    scene.look(pool=waiting, later=299)
    assert scene.told == []
    scene.look(pool=waiting, later=1)
    scene.look(pool=waiting, later=600)
    assert scene.told == [
        (
            "note: for 5m the pool has had none of its 3 nodes: the service is still looking for"
            " machines, and gives no reason (resizing)"
        )
    ]


@pytest.mark.parametrize(
    ("error", "end"), [(None, ""), ("InsufficientSampleData: no", " (InsufficientSampleData: no)")]
)
def test_a_formula_that_asks_for_nothing_is_a_note(
    scene: Scene, error: str | None, end: str
) -> None:
    pool = replace(POOL, dedicated_nodes=0, target_dedicated_nodes=0, formula_error=error)
    scene.look(pool=pool)
    scene.look(pool=pool, later=300)
    assert scene.told == [
        f"note: for 5m the pool has had no nodes, since its formula asks for none{end}"
    ]


def test_a_formula_that_fails_ends_the_run_only_where_there_are_no_nodes(scene: Scene) -> None:
    pool = replace(POOL, formula_error="AutoScalingFormulaEvaluationError: no `x`")
    scene.look(IDLE, pool=pool)
    scene.look(IDLE, pool=pool)
    assert scene.told == [
        (
            "note: the pool's formula fails, and its size stays as it is:"
            " AutoScalingFormulaEvaluationError: no `x`"
        )
    ]
    with pytest.raises(PoolUnusableError) as caught:
        scene.look(pool=pool)
    assert caught.value.message == (
        "the pool has no nodes, since its formula fails: AutoScalingFormulaEvaluationError: no `x`"
    )
    assert caught.value.refusal is not None
    assert caught.value.refusal.place == ("pool", "autoscale", "formula")


def test_a_pool_that_cannot_be_made_has_the_services_code() -> None:
    error = unusable("the service cannot make the job's pool: A: b", "PoolQuotaReached: b")
    assert error.code == "PoolQuotaReached"
    assert "delete pools that nobody needs" in (error.hint or "")
