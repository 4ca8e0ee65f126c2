"""Short names that stand for the service's things: the service has them, and takes them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from runner.connect import Services
from runner.spec.parsing.autoscale import SCENARIOS, scenario_formula
from runner.spec.parsing.image_aliases import ALIASES, find_image
from tests.conformance.endpoints import Emulator
from tests.conformance.remote.asking import idle_nodes, wait_for


@pytest.mark.parametrize("alias", ALIASES)
def test_each_image_is_offered(services: Services, alias: str) -> None:
    agent = services.batch.find_node_agent(find_image(alias), containers="containers" in alias)
    assert ("windows" in agent) == ("windows" in alias)


@pytest.mark.parametrize("kind", ["dedicated", "spot"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_scenario_is_a_formula(
    services: Services, emulator: Emulator, pool: str, scenario: str, kind: str
) -> None:
    wait_for(lambda: len(idle_nodes(services, pool)) == 1)
    formula = scenario_formula({"scenario": scenario, "kind": kind, "min": 2, "max": 3})
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    with BatchClient(emulator.batch_endpoint, credential) as client:
        options: Any = {"autoScaleFormula": formula, "autoScaleEvaluationInterval": "PT5M"}
        client.enable_pool_auto_scale(pool, options)
        run = client.get_pool(pool).auto_scale_run
    assert run is not None
    assert run.error is None
    variable = {"dedicated": "$TargetDedicatedNodes", "spot": "$TargetLowPriorityNodes"}[kind]
    results = dict(pair.split("=") for pair in cast("str", run.results).split(";"))
    assert results[variable] in {"2", "3"}
    wait_for(lambda: len(idle_nodes(services, pool)) >= 2)
