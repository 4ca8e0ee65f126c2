"""Judges by a pool and its nodes whether tasks can ever run there, and what people should know.

It must not know how the pool was looked at, nor what its nodes run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from runner.errors import BatchRunError, ExitCode, Refusal, ServiceRefusedError
from runner.run.advice import SPOT_IS_GONE, advise
from runner.run.services import NodeStatus, PoolStatus
from runner.spec.document import Pointer
from runner.spec.duration import write_duration

# The service tries to mend nodes that it finds unusable, and to give what a resize lacks again.
_MENDING = timedelta(minutes=1)
_LONG_WITHOUT_NODES = timedelta(minutes=5)
# What a formula that asks for samples of the first minutes meets (REST: AutoScaleRun).
_NO_SAMPLES = "InsufficientSampleData"
_LOST = frozenset({"starttaskfailed", "unusable"})
_NODES: Pointer = ("pool", "nodes")
# Which part of the spec a code is about; any other is about the pool as a whole.
_PLACES: tuple[tuple[str, Pointer], ...] = (
    ("formula", ("pool", "autoscale", "formula")),
    ("image", ("pool", "image")),
    ("subnet", ("pool", "network", "subnet")),
    ("vmsize", ("pool", "vm_size")),
    ("vmseries", ("pool", "vm_size")),
    ("allocation", _NODES),
    ("quota", _NODES),
    ("resize", _NODES),
    ("spot", _NODES),
    ("lowpriority", _NODES),
)
_POOL: Pointer = ("pool",)
_NO_CODE = "Unusable"
_FEWER = "ask for fewer nodes, another VM size, or more quota"
_BROKEN = (
    "the service cannot use the machines that it got: look at the image, the VM size, and the rules"
    " and routes of a subnet of your own"
)


class PoolUnusableError(ServiceRefusedError):
    """The service cannot give the job any node."""


class StartTaskFailedError(BatchRunError):
    """The user's start task failed on every node, so that no task can run."""

    exit_code = ExitCode.TASKS_FAILED


def unusable(message: str, said: str, *, hint: str = _FEWER) -> PoolUnusableError:
    """The error for a pool without nodes; `said` is the service's code, colon and words.

    `hint` is for codes that there is no advice for.
    """
    first = said.partition(":")[0]
    code = first if first.isalnum() else _NO_CODE
    lower = code.lower()
    place = next((place for word, place in _PLACES if word in lower), _POOL)
    return PoolUnusableError(
        message,
        code=code,
        hint=advise(code) or hint,
        refusal=Refusal(service="Azure Batch", code=code, place=place),
    )


class PoolJudge:
    """Of one pool, look by look; everything that is worth a note is told once."""

    def __init__(self, *, tell: Callable[[str], None], hint: Callable[[], str]) -> None:
        """`tell` takes a line for people, `hint` says where a start task's errors are."""
        self._tell = tell
        self._hint = hint
        self._told: set[str] = set()
        self._unusable_since: float | None = None
        self._without_since: float | None = None

    def judge(self, pool: PoolStatus, nodes: Sequence[NodeStatus], now: float) -> None:
        """Raises `PoolUnusableError` or `StartTaskFailedError` where no task can ever run.

        `now` is in seconds, from wherever.
        """
        self._judge_formula(pool, nodes)
        self._judge_emptiness(pool, nodes, now)
        if pool.allocation_state != "steady":
            return
        if pool.resize_errors:
            self._judge_resize(pool, nodes)
        self._judge_nodes(nodes, now)

    def _judge_formula(self, pool: PoolStatus, nodes: Sequence[NodeStatus]) -> None:
        said = pool.formula_error
        if said is None or said.startswith(_NO_SAMPLES):
            return
        if not nodes and pool.allocation_state == "steady":
            raise unusable(f"the pool has no nodes, since its formula fails: {said}", said)
        self._note(f"the pool's formula fails, and its size stays as it is: {said}")

    def _judge_emptiness(self, pool: PoolStatus, nodes: Sequence[NodeStatus], now: float) -> None:
        """A pool without nodes, or with none yet: after some time people wonder."""
        if nodes:
            self._without_since = None
            return
        if self._without_since is None:
            self._without_since = now
        lasted = timedelta(seconds=now - self._without_since)
        if lasted < _LONG_WITHOUT_NODES:
            return
        wanted = pool.target_dedicated_nodes + pool.target_spot_nodes
        minutes = write_duration(_LONG_WITHOUT_NODES)
        if not wanted:
            said = "" if pool.formula_error is None else f" ({pool.formula_error})"
            self._note(
                f"for {minutes} the pool has had no nodes, since its formula asks for none{said}"
            )
        else:
            self._note(
                f"for {minutes} the pool has had none of its {_count(wanted)}: the service is still"
                f" looking for machines, and gives no reason ({pool.allocation_state})"
            )

    def _judge_resize(self, pool: PoolStatus, nodes: Sequence[NodeStatus]) -> None:
        said = "; ".join(pool.resize_errors)
        if not nodes:
            gone = f" ({SPOT_IS_GONE})" if pool.target_spot_nodes else ""
            raise unusable(f"the pool has no nodes: {said}{gone}", pool.resize_errors[0])
        wanted = pool.target_dedicated_nodes + pool.target_spot_nodes
        if len(nodes) < wanted:
            self._note(f"the pool has {len(nodes)} of {_count(wanted)}, and goes on so: {said}")

    def _judge_nodes(self, nodes: Sequence[NodeStatus], now: float) -> None:
        lost = [node for node in nodes if node.state in _LOST]
        if not lost:
            self._unusable_since = None
            return
        failed = [node for node in lost if node.state == "starttaskfailed"]
        broken = [node for node in lost if node.state == "unusable"]
        if len(lost) < len(nodes):
            self._unusable_since = None
            self._note_lost(failed, broken, len(nodes))
            return
        if not broken:
            cause = common(map(_start_task_cause, failed))
            raise StartTaskFailedError(
                f"the start task failed on every node ({cause})", hint=self._hint()
            )
        if self._unusable_since is None:
            self._unusable_since = now
        if now - self._unusable_since < _MENDING.total_seconds():
            return
        said = common(map(_reason, broken))
        if failed:
            cause = common(map(_start_task_cause, failed))
            raise StartTaskFailedError(
                f"the start task failed on {len(failed)} of {_count(len(nodes))} ({cause}), and the"
                f" others are unusable ({said})",
                hint=self._hint(),
            )
        raise unusable(f"every node of the pool is unusable ({said})", said, hint=_BROKEN)

    def _note_lost(
        self, failed: Sequence[NodeStatus], broken: Sequence[NodeStatus], total: int
    ) -> None:
        left = total - len(failed) - len(broken)
        rest = f"the run goes on with the other {_count(left)}" if left > 1 else "one node is left"
        if failed:
            cause = common(map(_start_task_cause, failed))
            self._note(
                f"the start task failed on {len(failed)} of {_count(total)} ({cause}): {rest}"
            )
        if broken:
            said = common(map(_reason, broken))
            verb = "is" if len(broken) == 1 else "are"
            self._note(f"{len(broken)} of {_count(total)} {verb} unusable ({said}): {rest}")

    def _note(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(f"note: {line}")


def common(causes: Iterable[str]) -> str:
    """The one cause that all have."""
    different = set(causes)
    return different.pop() if len(different) == 1 else "for various reasons"


def _count(nodes: int) -> str:
    return f"{nodes} node{'' if nodes == 1 else 's'}"


def _start_task_cause(node: NodeStatus) -> str:
    """The exit code, or where no process ended by itself, the service's words."""
    if node.start_task_exit_code is not None:
        return f"exit code {node.start_task_exit_code}"
    return node.start_task_failure or "no reason is given"


def _reason(node: NodeStatus) -> str:
    return "; ".join(node.errors) or "no reason is given"
