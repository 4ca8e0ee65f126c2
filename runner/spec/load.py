"""From a path to a checked workload, or to every problem with it.

It knows the order of the stages, and nothing of what each of them checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from runner.errors import UsageError
from runner.spec.document import MOST_BYTES, read_document
from runner.spec.model.terms import ParameterValue
from runner.spec.model.workload import Workload
from runner.spec.parsing.parameters import MISSING, Question, find_questions
from runner.spec.parsing.parse import Parsed, parse_workload
from runner.spec.parsing.secrets import secret_names
from runner.spec.problem import Problem, SpecError
from runner.spec.validation.rules import check_rules

Ask = Callable[[tuple[Question, ...]], Mapping[str, ParameterValue]]
"""Has questions answered; what is left out stays a problem."""


def load_workload(
    path: Path, *, name: str, given: Mapping[str, ParameterValue], ask: Ask | None = None
) -> Workload:
    """The workload in a file, with the parameters `given`; `name` is the file as the user wrote it.

    `ask` is called where nothing is wrong so far but that parameters have no value. Raises
    `UsageError` where the file cannot be read, and `SpecError` with all the problems that can be
    told: a stage looks at whatever those before it have left standing.
    """
    document, problems = read_document(name, _read(path, name))
    if document is None:
        raise SpecError(problems)
    parsed = parse_workload(document, given)
    secret = bool(secret_names(document.data))
    # What YAML itself refuses may have lost parts of the spec, which rules would miss.
    problems = (*problems, *parsed.problems) if problems else _check(parsed)
    if ask is not None and problems and all(each.code == MISSING for each in problems):
        parsed = parse_workload(document, {**given, **ask(find_questions(document, given))})
        problems = _check(parsed)
    if parsed.workload is None or problems:
        if secret:
            problems = tuple(each if each.file == name else without_line(each) for each in problems)
        raise SpecError(problems)
    return parsed.workload


def declared_parameters(path: Path, *, name: str) -> frozenset[str] | None:
    """The names of the parameters of a spec, whatever is wrong with it.

    None where they cannot be told: `load_workload` says why.
    """
    try:
        document, _ = read_document(name, _read(path, name))
    except UsageError:
        return None
    definitions = {} if document is None else document.data.get("parameters", {})
    return (
        frozenset(definitions) if document is not None and isinstance(definitions, dict) else None
    )


def has_secrets(path: Path, *, name: str) -> bool:
    """Whether a spec marks a parameter secret; so it may be of one that cannot be read."""
    try:
        document, _ = read_document(name, _read(path, name))
    except UsageError:
        return True
    return document is None or bool(secret_names(document.data))


def without_line(problem: Problem) -> Problem:
    """The problem without the line that it stands on: of a file of parameters, which may be one
    with a secret."""
    return replace(problem, source_line=None)


def _check(parsed: Parsed) -> tuple[Problem, ...]:
    """What was wrong already, and what the rules say, be it of what stands in for the workload."""
    if parsed.workload is not None:
        return check_rules(parsed.workload)
    if not parsed.stand_ins:
        return parsed.problems
    first, *others = map(check_rules, parsed.stand_ins)
    certain = (each for each in first if all(each in other for other in others))
    return (*parsed.problems, *certain)


def _read(path: Path, name: str) -> bytes:
    """At most one byte more than a spec may have, so that no file is too large to refuse."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file `{name}`") from error
    except IsADirectoryError as error:
        raise UsageError(f"`{name}` is a folder", hint="give a YAML file in it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"cannot read `{name}`: {reason}") from error
