"""The closing check: every operation has its test."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from tests.conformance.batch.operations.coverage import operation_of, operations


def covered() -> dict[str, str]:
    """Every operation that a module beside this one has a test of, and the module."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path == Path(__file__):
            continue
        module = importlib.import_module(f"tests.conformance.batch.operations.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                found[operation_of(function)] = path.stem
    return found


def test_every_operation_is_exercised() -> None:
    missing = sorted(operations() - covered().keys())
    assert not missing, f"no test of {', '.join(missing)}"


def test_every_test_is_of_an_operation() -> None:
    assert len(operations()) == 72
    assert sorted(covered().keys() - operations()) == []
