"""A spec that is right, and what the tests of this folder compare of a problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from runner.spec.problem import Problem

Fact = tuple[str, str, str | None]
"""`line:column code`, the message, the hint."""

SPEC = """\
version: 1
name: topics
description: Everything at once

parameters:
  rate: {type: string, default: 192k, pattern: "[0-9]+k"}
  nodes: {type: integer, default: 5, min: 1, max: 9}

limits: {duration: 24h, wait: 1h30m}

containers:
  input:
    upload: [{from: data, include: ["**/*.txt"]}]
  output: {download: true, delete: never}
  app: {upload: [{from: tool.py}]}

pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 0, spot: "{{ parameters.nodes }}"}
  start_task:
    resources: [{from: app}]
    command: cp tool.py "$AZ_BATCH_NODE_SHARED_DIR"
    run_as: admin

task:
  for_each: input
  command: python3 tool.py {{ file.path }} {{ parameters.rate }}
  environment: {LANG: C.UTF-8, SOURCE: "{{ file.url }}"}
  resources: [{from: app}]
  outputs: [{pattern: "{{ file.stem }}_OUT.txt", to: output}]
  retries: 1
  timeout: 30m
"""


@pytest.fixture
def spec() -> str:
    return SPEC


@pytest.fixture
def edit() -> Callable[[str, str], str]:
    """The spec with one piece of text replaced, which must be there."""

    def replaced(old: str, new: str) -> str:
        assert SPEC.count(old) == 1, f"{old!r} is there {SPEC.count(old)} times"
        return SPEC.replace(old, new)

    return replaced


@pytest.fixture
def facts() -> Callable[[Iterable[Problem]], list[Fact]]:
    def of(problems: Iterable[Problem]) -> list[Fact]:
        return [
            (
                f"{each.span.start.line}:{each.span.start.column} {each.code}",
                each.message,
                each.hint,
            )
            for each in problems
        ]

    return of
