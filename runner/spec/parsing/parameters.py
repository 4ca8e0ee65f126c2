"""The values of a workload's parameters: given, or by default, and checked either way.

It knows nothing of where they are used.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from typing_extensions import override

from runner.frozen import dataclass
from runner.spec.document import Document, Pointer
from runner.spec.model.terms import ParameterValue, SecretParameter
from runner.spec.parsing.parameter_value import (
    Definition,
    Refusal,
    compile_pattern,
    convert,
    describe_wanted,
    find_refusal,
    find_secret_refusal,
)
from runner.spec.parsing.secrets import is_secret, secret_name, secret_variable
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten, suggest
from runner.spec.templates.values import written_text
from runner.spec.validation.schema import is_definition

MISSING = "missing-parameter"
"""The code of the one problem that a value can still help."""


class Given(Mapping[str, ParameterValue]):
    """Values given to a workload, those of `file` among them unless given anew in `values`."""

    def __init__(self, values: Mapping[str, ParameterValue], file: Document | None) -> None:
        self._file = file
        self._own = frozenset(values)
        written: dict[str, ParameterValue] = {} if file is None else file.data
        self._values = {**written, **values}

    @override
    def __getitem__(self, name: str) -> ParameterValue:
        return self._values[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    def only(self, names: Container[str]) -> Given:
        """The values of these parameters alone, each from where it was."""
        file = self._file
        if file is not None:
            file = file.with_keys({(name,): None for name in file.data if name not in names})
        return Given({name: self[name] for name in self._own if name in names}, file)

    def file_of(self, name: str) -> Document | None:
        """The file that a value stands in, None where it came otherwise."""
        return None if name in self._own else self._file


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parameter that has no value yet, and the values that it takes, in words."""

    name: str
    description: str
    wanted: str
    definition: Definition

    def read(self, text: str) -> ParameterValue | Refusal:
        """The value that an answer stands for, or why it cannot be one."""
        value = convert(self.definition["type"], text)
        return find_refusal(self.definition, value) or value


def read_parameters(
    document: Document, given: Mapping[str, ParameterValue]
) -> tuple[dict[str, ParameterValue], tuple[Problem, ...]]:
    """Each parameter's value; one that is missing or wrong is left out and has a problem.

    One that is secret is left out, and no problem quotes its value.

    `given` holds text as from a command line, which is converted by type, or typed values; of
    `Given`, a value that a file holds has its problem there. The document need not have passed
    the schema: a definition that has not is left out without a problem.
    """
    definitions = document.data.get("parameters", {})
    if not isinstance(definitions, dict):
        return {}, ()
    problems = [
        _unknown(document, name, given, definitions) for name in given if name not in definitions
    ]
    values: dict[str, ParameterValue] = {}
    for name, definition in definitions.items():
        if not is_definition(definition):
            continue
        wrong = list(_definition_problems(document, name, definition))
        problems.extend(wrong)
        if wrong:
            continue
        if is_secret(definition):
            problems.extend(_given_secret_problems(document, name, definition, given))
            continue
        value = _value(document, name, definition, given)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            values[name] = written_text(value) if isinstance(value, str) else value
    return values, tuple(problems)


def find_questions(document: Document, given: Mapping[str, ParameterValue]) -> tuple[Question, ...]:
    """What has to be asked where nothing but values is missing, in the order of the spec."""
    definitions: dict[str, dict[str, Any]] = document.data.get("parameters", {})
    return tuple(
        Question(
            name=name,
            description=definition.get("description", ""),
            wanted=describe_wanted(definition),
            definition=definition,
        )
        for name, definition in definitions.items()
        if name not in given and "default" not in definition and not is_secret(definition)
    )


def read_secret_parameters(
    document: Document, given: Mapping[str, ParameterValue]
) -> tuple[SecretParameter, ...]:
    """The parameters marked `secret`, with the values that a file of parameters has of them."""
    definitions: dict[str, dict[str, Any]] = document.data.get("parameters", {})
    return tuple(
        SecretParameter(
            name=name,
            secret=secret_name(name),
            description=definition.get("description", ""),
            pattern=definition.get("pattern"),
            pointer=("parameters", name),
            given=str(given[name]) if name in given else None,
        )
        for name, definition in definitions.items()
        if is_secret(definition)
    )


def _given_secret_problems(
    document: Document,
    name: str,
    definition: Definition,
    given: Mapping[str, ParameterValue],
) -> Iterator[Problem]:
    """A value may come from a file alone; the line that it stands on is not shown."""
    if name not in given:
        return
    pointer: Pointer = ("parameters", name)
    variable = secret_variable(secret_name(name))
    file = _file_of(given, name)
    if file is None:
        yield document.key_problem(
            pointer,
            code="exposed-secret",
            message=f"the secret `{name}` is given by `-p`, where others can read it",
            hint=f"set {variable}, or write it into a file for `--params`",
        )
        return
    refusal = find_secret_refusal(definition.get("pattern"), given[name])
    if refusal is not None:
        message = f"the value given for `{name}` {refusal.message}"
        problem = file.problem((name,), code=refusal.code, message=message, hint=refusal.hint)
        yield replace(problem, source_line=None)


def _file_of(given: Mapping[str, ParameterValue], name: str) -> Document | None:
    return given.file_of(name) if isinstance(given, Given) else None


def _unknown(
    document: Document,
    name: str,
    given: Mapping[str, ParameterValue],
    definitions: Mapping[str, object],
) -> Problem:
    file = _file_of(given, name)
    place, pointer = (document, ("parameters",)) if file is None else (file, (name,))
    return place.key_problem(
        pointer,
        code="unknown-parameter",
        message=f"`{shorten(name)}` is given, but is not a parameter of this workload",
        hint=suggest(name, definitions, label="parameters"),
    )


def _value(
    document: Document,
    name: str,
    definition: Definition,
    given: Mapping[str, ParameterValue],
) -> ParameterValue | Problem:
    pointer: Pointer = ("parameters", name)
    if name in given:
        value = convert(definition["type"], given[name])
        refusal = find_refusal(definition, value)
        if refusal is None:
            return value
        message = f"the value given for `{name}` {refusal.message}"
        file = _file_of(given, name)
        if file is not None:
            return file.problem((name,), code=refusal.code, message=message, hint=refusal.hint)
        hint = refusal.hint or f"it was given as `-p {name}={shorten(str(given[name]))}`"
        return document.key_problem(pointer, code=refusal.code, message=message, hint=hint)
    if "default" in definition:
        default: ParameterValue = definition["default"]
        return default
    return document.key_problem(
        pointer,
        code=MISSING,
        message=f"`{name}` has no default, and no value is given",
        hint=f"give one: `-p {name}=...`",
    )


def _definition_problems(
    document: Document, name: str, definition: Definition
) -> Iterator[Problem]:
    """What is wrong with a definition in itself, its default included."""
    pointer: Pointer = ("parameters", name)
    kind = definition["type"]
    if is_secret(definition):
        yield from _secret_definition_problems(document, name, definition)
        return
    numeric = kind in {"integer", "number"}
    foreign = ["pattern"] if numeric else ["min", "max"]
    foreign += ["pattern"] if kind == "boolean" else []
    misplaced = [key for key in foreign if key in definition]
    for key in misplaced:
        yield document.key_problem(
            (*pointer, key),
            code="misplaced-key",
            message=f"`{key}` does not go with the type `{kind}`",
            hint="`pattern` is for text, `min` and `max` are for numbers",
        )
    if misplaced:
        return
    if "pattern" in definition and compile_pattern(definition["pattern"]) is None:
        yield document.problem(
            (*pointer, "pattern"),
            code="bad-pattern",
            message=f"`{shorten(definition['pattern'])}` is not a regular expression",
        )
        return
    if definition.get("min", 0) > definition.get("max", definition.get("min", 0)):
        yield document.problem(
            (*pointer, "max"), code="out-of-range", message="`max` is less than `min`"
        )
        return
    allowed = definition.get("allowed", [])
    bounds = {key: value for key, value in definition.items() if key != "allowed"}
    for index, value in enumerate(allowed):
        yield from _as_problem(document, (*pointer, "allowed", index), find_refusal(bounds, value))
    if "default" in definition:
        refusal = find_refusal(definition, definition["default"])
        yield from _as_problem(document, (*pointer, "default"), refusal)


def _secret_definition_problems(
    document: Document, name: str, definition: Definition
) -> Iterator[Problem]:
    """A spec says of a secret what it is for, and nothing of what it is."""
    pointer: Pointer = ("parameters", name)
    if definition["type"] != "string":
        yield document.problem(
            (*pointer, "type"),
            code="misplaced-key",
            message=f"a secret is text, not of the type `{definition['type']}`",
            hint="write `type: string`",
        )
    for key in ("min", "max"):
        if key in definition:
            yield document.key_problem(
                (*pointer, key), code="misplaced-key", message=f"`{key}` does not go with `secret`"
            )
    for key in ("default", "allowed"):
        if key in definition:
            problem = document.key_problem(
                (*pointer, key),
                code="exposed-secret",
                message=f"`{key}` of the secret `{name}` would stand in the spec for all to read",
                hint=f"take it out, and set {secret_variable(secret_name(name))}",
            )
            yield replace(problem, source_line=None)
    pattern = definition.get("pattern")
    if pattern is not None and compile_pattern(pattern) is None:
        yield document.problem(
            (*pointer, "pattern"),
            code="bad-pattern",
            message=f"`{shorten(pattern)}` is not a regular expression",
        )


def _as_problem(document: Document, pointer: Pointer, refusal: Refusal | None) -> Iterator[Problem]:
    if refusal is not None:
        message = f"this value of `{pointer[1]}` {refusal.message}"
        yield document.problem(pointer, code=refusal.code, message=message, hint=refusal.hint)
