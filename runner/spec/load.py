"""From a path to a checked workload, or to every problem with it.

It knows the order of the stages, and nothing of what each of them checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runner.errors import UsageError
from runner.spec.document import MOST_BYTES, read_document
from runner.spec.model.terms import ParameterValue
from runner.spec.model.workload import Workload
from runner.spec.parsing.parameters import MISSING, Question, find_questions
from runner.spec.parsing.parse import parse_workload
from runner.spec.problem import SpecError
from runner.spec.validation.rules import check_rules

Ask = Callable[[tuple[Question, ...]], Mapping[str, ParameterValue]]
"""Has questions answered; what is left out stays a problem."""


def load_workload(
    path: Path, *, name: str, given: Mapping[str, ParameterValue], ask: Ask | None = None
) -> Workload:
    """The workload in a file, with the parameters `given`; `name` is the file as the user wrote it.

    `ask` is called where nothing is wrong so far but that parameters have no value. Raises
    `UsageError` where the file cannot be read, and `SpecError` with all the problems of the
    earliest stage that has some, and of the stages that can still be trusted then.
    """
    document, problems = read_document(name, _read(path, name))
    if document is None:
        raise SpecError(problems)
    workload, more = parse_workload(document, given)
    if ask is not None and not problems and more and all(each.code == MISSING for each in more):
        given = {**given, **ask(find_questions(document, given))}
        workload, more = parse_workload(document, given)
    if workload is None or problems:
        raise SpecError((*problems, *more))
    broken = check_rules(workload)
    if broken:
        raise SpecError(broken)
    return workload


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
