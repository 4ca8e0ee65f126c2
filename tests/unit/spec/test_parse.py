"""From documents to typed workloads: values, defaults, templates evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from runner.spec.bundled import bundled
from runner.spec.document import read_document
from runner.spec.parse import parse_workload
from runner.spec.pool import Image
from runner.spec.problem import Problem
from runner.spec.schema import SCHEMA_PARTS
from runner.spec.step import Print, UploadCondition
from runner.spec.terms import Elevation, ParameterValue, Resource, Role
from runner.spec.workload import Container, Delete, FilesOf, Limits, Upload, Workload

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Edit = Callable[[str, str], str]

SMALLEST = """\
version: 1
name: small
containers:
  input: {upload: [{from: data}]}
  output: {}
pool:
  image: {publisher: p, offer: o, sku: s}
  vm_size: v
  nodes: {dedicated: 1}
  start_task: {command: a}
task:
  for_each: {files: input}
  command: [cat, "{{ file.path }}"]
  outputs: [{pattern: "*", to: output}]
"""


def parse(
    text: str, given: dict[str, ParameterValue] | None = None
) -> tuple[Workload | None, tuple[Problem, ...]]:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    assert problems == ()
    return parse_workload(document, given or {})


def workload_of(text: str, given: dict[str, ParameterValue] | None = None) -> Workload:
    workload, problems = parse(text, given)
    assert problems == ()
    assert workload is not None
    return workload


def test_everything_that_a_spec_says(spec: str) -> None:
    workload = workload_of(spec, {"nodes": "7"})
    assert workload.name == "topics"
    assert workload.description == "Everything at once"
    assert workload.parameters == {"rate": "192k", "nodes": 7}
    assert workload.limits == Limits(duration=timedelta(hours=24), wait=timedelta(minutes=90))
    assert workload.container(Role("input")) == Container(
        role=Role("input"),
        uploads=(
            Upload(
                source="data",
                include=("**/*.txt",),
                exclude=(),
                pointer=("containers", "input", "upload", 0),
            ),
        ),
        download=False,
        delete=Delete.AFTER_SUCCESS,
        pointer=("containers", "input"),
    )
    assert workload.container(Role("output")).download is True
    assert workload.container(Role("output")).delete is Delete.NEVER
    pool = workload.pool
    assert pool.image == Image(
        publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
    )
    assert (pool.vm_size, pool.dedicated_nodes, pool.spot_nodes) == ("Standard_D2s_v5", 0, 7)
    start_task = pool.start_task
    assert start_task is not None
    assert start_task.resources == (Resource(role=Role("app")),)
    assert start_task.run_as is Elevation.ADMIN
    assert start_task.pointer == ("pool", "start_task")
    (step,) = workload.steps
    assert step.name == "task"
    assert step.for_each == FilesOf(role=Role("input"))
    assert step.resources == (Resource(role=Role("app")),)
    assert list(step.environment) == ["LANG", "SOURCE"]
    assert step.environment["LANG"].text == "C.UTF-8"
    assert (step.retries, step.timeout) == (1, timedelta(minutes=30))
    (output,) = step.outputs
    assert output.pattern.text == "{{ file.stem }}_OUT.txt"
    assert (output.to, output.when) == (Role("output"), UploadCondition.SUCCESS)
    assert output.path is None
    assert output.pointer == ("task", "outputs", 0)


def test_defaults_are_those_that_the_schema_promises() -> None:
    schema: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_text(encoding="utf-8"))

    def default(*path: str) -> Any:
        each = schema
        for key in path:
            each = each[key]
        return each["default"]

    properties = schema["properties"]
    pool, task = properties["pool"]["properties"], properties["task"]["properties"]
    start = pool["start_task"]["properties"]
    container = schema["$defs"]["container"]["properties"]
    upload = schema["$defs"]["upload"]["properties"]
    workload = workload_of(SMALLEST)
    assert workload.description == default("properties", "description")
    assert workload.limits.duration == timedelta(hours=24)
    assert default("properties", "limits", "properties", "duration") == "24h"
    assert workload.limits.wait == workload.limits.duration
    first = workload.containers[0]
    assert first.download is container["download"]["default"]
    assert first.delete.value == container["delete"]["default"]
    assert list(first.uploads[0].include) == upload["include"]["default"]
    assert list(first.uploads[0].exclude) == upload["exclude"]["default"]
    assert workload.pool.image.version == pool["image"]["properties"]["version"]["default"]
    assert workload.pool.spot_nodes == pool["nodes"]["properties"]["spot"]["default"]
    assert workload.pool.task_slots_per_node == pool["task_slots_per_node"]["default"]
    assert workload.pool.extra == pool["extra"]["default"]
    assert workload.job.extra == properties["job"]["properties"]["extra"]["default"]
    start_task = workload.pool.start_task
    assert start_task is not None
    assert list(start_task.resources) == start["resources"]["default"]
    assert start_task.environment == start["environment"]["default"]
    assert start_task.run_as.value == start["run_as"]["default"]
    assert start_task.wait_for_success is start["wait_for_success"]["default"]
    assert start_task.retries == start["retries"]["default"]
    (step,) = workload.steps
    assert step.environment == task["environment"]["default"]
    assert step.print.value == task["print"]["default"]
    assert step.run_as.value == task["run_as"]["default"]
    assert step.retries == task["retries"]["default"]
    assert step.extra == task["extra"]["default"]
    assert step.timeout is None
    assert step.outputs[0].when.value == schema["$defs"]["output"]["properties"]["when"]["default"]


def test_values_of_the_workload_may_be_expressions() -> None:
    text = SMALLEST.replace("name: small\n", "name: small\nparameters:\n  P\n")
    for old, new in (
        (
            "  P\n",
            (
                "  n: {type: integer, default: 3}\n  b: {type: boolean, default: false}\n"
                "  s: {type: string, default: never}\n  x: {type: string, default: stdout}\n"
            ),
        ),
        ("output: {}", 'output: {download: "{{ parameters.b }}", delete: "{{ parameters.s }}"}'),
        ("dedicated: 1", 'dedicated: "{{ parameters.n }}"'),
        ("vm_size: v", 'vm_size: "v{{ parameters.n }}"\n  extra: {a: [{b: "{{ parameters.n }}"}]}'),
        ("from: data", 'from: "data/{{ parameters.s }}"'),
        (
            "  outputs:",
            '  print: "{{ parameters.x }}"\n  timeout: "{{ parameters.n }}m"\n  outputs:',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    workload = workload_of(text)
    assert workload.container(Role("output")).download is False
    assert workload.container(Role("output")).delete is Delete.NEVER
    assert workload.pool.dedicated_nodes == 3
    assert workload.pool.vm_size == "v3"
    assert workload.pool.extra == {"a": [{"b": 3}]}
    assert workload.containers[0].uploads[0].source == "data/never"
    assert workload.steps[0].print is Print.STDOUT
    assert workload.steps[0].timeout == timedelta(minutes=3)


def test_an_evaluated_value_of_the_wrong_type_is_shown_at_its_expression(
    edit: Edit, facts: Facts
) -> None:
    text = edit('spot: "{{ parameters.nodes }}"', 'spot: "{{ parameters.rate }}"')
    _, problems = parse(text)
    assert facts(problems) == [
        (
            "20:31 wrong-type",
            "`pool.nodes.spot` must be an integer, not `192k`",
            'the value comes from `"{{ parameters.rate }}"`',
        )
    ]


def test_schema_and_template_problems_come_together(edit: Edit) -> None:
    text = edit("retries: 1", "retries: x").replace("{{ file.path }}", "{{ file.pth }}")
    workload, problems = parse(text.replace("parameters.nodes", "parameters.node"))
    assert workload is None
    assert sorted(problem.span.start.line for problem in problems) == [20, 28, 32]


@pytest.mark.parametrize("nodes", ["2", "2.0"])
def test_whole_numbers_are_integers(nodes: str) -> None:
    workload = workload_of(SMALLEST.replace("dedicated: 1", f"dedicated: {nodes}"))
    assert type(workload.pool.dedicated_nodes) is int
