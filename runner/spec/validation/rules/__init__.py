"""What must hold between the parts of a workload, and the service's limits on them.

It knows nothing of YAML; each rule is one function and one entry of its module's table.
"""

from __future__ import annotations

from itertools import chain, islice

from runner.spec.model.workload import Workload
from runner.spec.problem import Problem, in_reading_order
from runner.spec.validation.rules.commands import COMMANDS
from runner.spec.validation.rules.containers import CONTAINERS, RESERVED_ROLE
from runner.spec.validation.rules.exits import EXITS
from runner.spec.validation.rules.extra import EXTRA
from runner.spec.validation.rules.job import JOB
from runner.spec.validation.rules.nodes import NODES
from runner.spec.validation.rules.outputs import OUTPUTS
from runner.spec.validation.rules.pool import POOL
from runner.spec.validation.rules.references import REFERENCES
from runner.spec.validation.rules.retries import RETRIES
from runner.spec.validation.rules.secrets import SECRETS
from runner.spec.validation.rules.sources import SOURCES
from runner.spec.validation.rules.uses import Rule

__all__ = ["RESERVED_ROLE", "check_rules"]

_MOST_PROBLEMS = 100
_MOST_STEPS = 1_000
_RULES: tuple[Rule, ...] = (
    *REFERENCES,
    *CONTAINERS,
    *SOURCES,
    *OUTPUTS,
    *EXITS,
    *RETRIES,
    *POOL,
    *NODES,
    *JOB,
    *COMMANDS,
    *SECRETS,
    *EXTRA,
)


def check_rules(workload: Workload) -> tuple[Problem, ...]:
    """All that is wrong with a workload whose parts are each well formed, in reading order."""
    document = workload.document
    if len(workload.steps) > _MOST_STEPS:
        problem = document.key_problem(
            workload.steps[_MOST_STEPS].pointer,
            code="too-many",
            message=f"a workload can have {_MOST_STEPS:,} steps",
            hint="run one step for many items: `for_each`",
        )
        return (problem,)
    found = chain.from_iterable(rule(workload, document) for rule in _RULES)
    return in_reading_order(islice(found, _MOST_PROBLEMS))
