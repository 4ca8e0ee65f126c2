"""How many cores a pool may come to, against what the account may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.run.diagnosis.answers import Quotas
from runner.run.diagnosis.cores import judge_cores
from runner.run.diagnosis.holdings import QUOTAS
from runner.run.diagnosis.rights import POOLS
from runner.spec.model.pool import NewPool
from tests.fakes.plans import SPEC, make_workload

QUOTA = Quotas(
    location="westeurope",
    user_subscription=False,
    dedicated_cores=10,
    by_family={},
    spot_cores=10,
    pools=10,
    jobs=10,
    is_public=True,
)


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        (
            "nodes: {dedicated: 3, spot: 3, fallback: {wait: 15m}}",
            "12 dedicated cores needed, and the quota is 10",
        ),
        (
            "autoscale: {scenario: tasks, max: 6}",
            "12 dedicated cores needed, and the quota is 10",
        ),
        (
            'autoscale: {formula: "$TargetDedicatedNodes = 1;"}',
            "how many nodes there will be, the formula says as it goes",
        ),
    ],
)
def test_the_most_nodes_that_there_ever_are_count(tmp_path: Path, size: str, seen: str) -> None:
    workload = make_workload(tmp_path, SPEC.replace("nodes: {dedicated: 1}", size))
    assert isinstance(workload.pool, NewPool)
    first = next(judge_cores(workload.pool, {POOLS: (), QUOTAS: QUOTA}))
    assert first.seen == seen
    assert first.fix


def test_a_size_whose_name_tells_no_cores_is_told_with_where_to_see(tmp_path: Path) -> None:
    spec = SPEC.replace("Standard_D2s_v5", "ExtraLarge")
    workload = make_workload(tmp_path, spec)
    assert isinstance(workload.pool, NewPool)
    (found,) = judge_cores(workload.pool, {POOLS: (), QUOTAS: QUOTA})
    assert (found.seen, found.fix) == (
        "the name `ExtraLarge` does not tell the cores of a node",
        "`az batch location list-skus --location REGION -o table` shows the sizes of a region",
    )
