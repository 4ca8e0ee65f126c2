"""`batch-run plan`: what a run would do; nothing is written anywhere."""

from __future__ import annotations

import argparse
import json

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_parameter_arguments, load
from runner.cli.world import World
from runner.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The spec, its parameters, and how much to show."""
    parser.add_argument("spec", metavar="SPEC")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="check the image against this service's list too (azure; local needs no check)",
    )
    parser.add_argument("--task", metavar="ID", help="show this task alone, whole")
    add_json_argument(parser, "the whole plan")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the plan; asks a service only where one is named."""
    del interruptions
    from runner.cli.script_findings import tell_script_findings
    from runner.connect import open_azure, read_azure_settings
    from runner.plan.expand import expand, find_task, place
    from runner.plan.run_id import UNKNOWN
    from runner.report.plan_as_json import plan_as_json, task_as_json
    from runner.report.plan_as_text import plan_summary, task_lines

    workload, folder = load(arguments.spec, arguments, world)
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    if arguments.target == "azure":
        with open_azure(read_azure_settings(world.environ)) as services:
            agent = services.batch.find_node_agent(workload.pool.image)
            plan = place(plan, storage_endpoint=services.blobs.endpoint)
        world.say(f"the service has the image; its node agent is {agent}")
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
