"""`batch-run plan`: what a run would do; nothing is written anywhere."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.signals import Interruptions
from runner.cli.specs import (
    add_json_argument,
    add_parameter_arguments,
    add_prices_argument,
    add_rerun_arguments,
    load,
)
from runner.cli.world import World
from runner.errors import ExitCode

if TYPE_CHECKING:  # what parses templates costs time that `--version` need not take
    from runner.cli.rerunning import PlanDecisions
    from runner.plan.model import Plan
    from runner.report.plan_cost import PlanCost
    from runner.spec.model.workload import Workload

EXAMPLES = """
batch-run plan mine.yaml                            uploads, pool, tasks, and why they would run
batch-run plan mine.yaml --task 1                   one task whole, with its rendered command
batch-run plan mine.yaml --target azure             ask the service about image and containers too
batch-run plan mine.yaml --prices azure:westeurope  what its nodes cost an hour, and at most
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The spec, its parameters, and how much to show."""
    parser.add_argument("spec", metavar="SPEC", help="the workload's YAML file")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="ask the service too, for what containers hold and for the image (azure), or check"
        " that the workload runs on this machine (local; default: neither)",
    )
    parser.add_argument(
        "--task",
        metavar="ID",
        help="show this task alone, whole (default: what all tasks have in common)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where outputs of the run would go (default: results/<workload name>)",
    )
    add_prices_argument(parser)
    add_rerun_arguments(parser)
    add_json_argument(parser, "the whole plan")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the plan; asks a service only where one is named."""
    del interruptions
    from runner.cli.checks import check_runs_here, check_schedule
    from runner.cli.plan_cost import complete, find_plan_cost
    from runner.cli.rerunning import decide_for_plan
    from runner.cli.script_findings import tell_script_findings
    from runner.connect import BATCH_ENDPOINT, finds_engine
    from runner.plan.expand import expand, find_task
    from runner.plan.run_id import UNKNOWN
    from runner.report.plan_as_json import VERSION, plan_as_json, task_as_json
    from runner.report.plan_as_text import plan_summary, task_lines

    workload, folder = load(arguments.spec, arguments, world)
    check_schedule(workload, now=world.clock.now())
    if arguments.target == "azure":
        plan, decisions, cost = _plan_for_azure(arguments, workload, folder, world)
    else:
        if arguments.target == "local":
            check_runs_here(workload, find_engine=partial(finds_engine, world.environ))
        cost = find_plan_cost(
            workload,
            arguments.prices,
            world,
            endpoint=world.environ.get(BATCH_ENDPOINT),
            asks_service=False,
            is_local=arguments.target == "local",
            ask_pool=lambda _: None,
        )
        workload = workload if cost is None else cost.workload
        plan = expand(workload, folder=folder, run_id=UNKNOWN)
        decisions = decide_for_plan(plan, arguments, world)
    cost = complete(cost, plan, decisions.for_data, world)
    if arguments.task is not None:
        task = find_task(plan, arguments.task)
        if arguments.json:
            shown = {"v": VERSION, **task_as_json(task, decisions.for_data)}
            world.print(json.dumps(shown, indent=1, ensure_ascii=False))
        else:
            world.print("\n".join(task_lines(task, decisions.for_people)))
    elif arguments.json:
        for piece in plan_as_json(plan, decisions.for_data, cost):
            world.write(piece.encode("utf-8", "backslashreplace"))
    else:
        world.print("\n".join(plan_summary(plan, decisions.for_people, cost)))
    tell_script_findings(plan, folder=folder, world=world)
    return ExitCode.SUCCESS


def _plan_for_azure(
    arguments: argparse.Namespace, workload: Workload, folder: Path, world: World
) -> tuple[Plan, PlanDecisions, PlanCost | None]:
    """The plan with what the service knows: what containers hold, and where they are."""
    from runner.cli.listing import list_stored
    from runner.cli.plan_cost import find_plan_cost
    from runner.cli.rerunning import decide_for_plan, list_where_there
    from runner.connect import open_azure, read_azure_settings
    from runner.plan.expand import expand, place
    from runner.plan.run_id import UNKNOWN
    from runner.run.pools.making import check_existing_pool, find_node_agent, find_vm_size
    from runner.spec.model.pool import ExistingPool

    settings = read_azure_settings(world.environ)
    with open_azure(settings) as services:
        cost = find_plan_cost(
            workload,
            arguments.prices,
            world,
            endpoint=settings.batch.endpoint,
            asks_service=True,
            is_local=False,
            ask_pool=partial(find_vm_size, services.batch),
        )
        workload = workload if cost is None else cost.workload
        stored = list_stored(workload, services.blobs)
        plan = expand(workload, folder=folder, run_id=UNKNOWN, stored=stored)
        pool = workload.pool
        if isinstance(pool, ExistingPool):
            check_existing_pool(plan, pool, services.batch)
            world.say(f"the service has pool `{pool.id}`")
        else:
            agent = find_node_agent(plan, pool, services.batch)
            world.say(f"the service has the image; its node agent is {agent}")
        decisions = decide_for_plan(
            plan, arguments, world, stored=stored, list_blobs=list_where_there(services.blobs)
        )
        return place(plan, storage_endpoint=services.blobs.endpoint), decisions, cost
