"""`batch-run plan`: what a run would do; nothing is written anywhere."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_parameter_arguments, load
from runner.cli.world import World
from runner.errors import ExitCode

if TYPE_CHECKING:  # what parses templates costs time that `--version` need not take
    from runner.plan.model import Plan
    from runner.spec.model.workload import Workload


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The spec, its parameters, and how much to show."""
    parser.add_argument("spec", metavar="SPEC")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="ask the service too, for what containers hold and for the image (azure), or check"
        " that the workload runs on this machine (local)",
    )
    parser.add_argument("--task", metavar="ID", help="show this task alone, whole")
    add_json_argument(parser, "the whole plan")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the plan; asks a service only where one is named."""
    del interruptions
    from runner.cli.checks import check_runs_here, check_schedule
    from runner.cli.script_findings import tell_script_findings
    from runner.connect import finds_engine
    from runner.plan.expand import expand, find_task
    from runner.plan.run_id import UNKNOWN
    from runner.report.plan_as_json import plan_as_json, task_as_json
    from runner.report.plan_as_text import plan_summary, task_lines

    workload, folder = load(arguments.spec, arguments, world)
    check_schedule(workload, now=world.clock.now())
    if arguments.target == "azure":
        plan = _plan_for_azure(workload, folder, world)
    else:
        if arguments.target == "local":
            check_runs_here(workload, find_engine=partial(finds_engine, world.environ))
        plan = expand(workload, folder=folder, run_id=UNKNOWN)
    if arguments.task is not None:
        task = find_task(plan, arguments.task)
        if arguments.json:
            world.print(json.dumps(task_as_json(task), indent=1, ensure_ascii=False))
        else:
            world.print("\n".join(task_lines(task)))
    elif arguments.json:
        for piece in plan_as_json(plan):
            world.write(piece.encode("utf-8", "backslashreplace"))
    else:
        world.print("\n".join(plan_summary(plan)))
    tell_script_findings(plan, folder=folder, world=world)
    return ExitCode.SUCCESS


def _plan_for_azure(workload: Workload, folder: Path, world: World) -> Plan:
    """The plan with what the service knows: what containers hold, and where they are."""
    from runner.cli.listing import list_stored
    from runner.connect import open_azure, read_azure_settings
    from runner.plan.expand import expand, place
    from runner.plan.run_id import UNKNOWN
    from runner.run.pools import check_existing_pool, find_node_agent
    from runner.spec.model.pool import ExistingPool

    with open_azure(read_azure_settings(world.environ)) as services:
        stored = list_stored(workload, services.blobs)
        plan = expand(workload, folder=folder, run_id=UNKNOWN, stored=stored)
        pool = workload.pool
        if isinstance(pool, ExistingPool):
            check_existing_pool(plan, pool, services.batch)
            world.say(f"the service has pool `{pool.id}`")
        else:
            agent = find_node_agent(plan, pool, services.batch)
            world.say(f"the service has the image; its node agent is {agent}")
        return place(plan, storage_endpoint=services.blobs.endpoint)
