"""Rules on what steps are run for: that items can be made of it, and not too many.

It reads no file: rows and the files of containers are for `plan` to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import prod

from runner.spec.document import Document, Pointer
from runner.spec.model.sources import (
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    SimpleSource,
    ZipOf,
)
from runner.spec.model.step import Output, Step, UploadCondition
from runner.spec.model.terms import Scalar
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten
from runner.spec.templates.values import NoValueError, bounded, describe, to_text
from runner.spec.validation.rules.limits import MOST_TASKS
from runner.spec.validation.rules.uses import Rule, axes


def count_numbers(source: RangeOf) -> int:
    """How many numbers a range has, of decimal fractions exactly: 0 to 0.3 by 0.1 has four."""
    first, last, step = (Decimal(repr(each)) for each in (source.first, source.last, source.step))
    if step == 0 or (last - first) * step < 0:
        return 0
    return int((last - first) / step) + 1


def _ranges_have_numbers(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for source in _simple_sources(step):
            if not isinstance(source, RangeOf):
                continue
            pointer: Pointer = (*source.pointer, "range")
            large = _too_large(source)
            if large is not None:
                yield document.problem(
                    (*pointer, large),
                    code="number",
                    message="the number has more than 64 bits",
                    hint="count from less, and add the rest in the command",
                )
            elif source.step == 0:
                yield document.problem(
                    (*pointer, "step"),
                    code="empty-range",
                    message="a range with the step 0 has no end",
                    hint="leave `step` out to count by 1",
                )
            elif count_numbers(source) == 0:
                way = "above" if source.step > 0 else "below"
                yield document.problem(
                    (*pointer, "to"),
                    code="empty-range",
                    message=f"the range is empty: `from`, {source.first}, lies {way} `to`,"
                    f" {source.last}",
                    hint=f"swap the two, or write `step: {-source.step}`",
                )


def _too_large(source: RangeOf) -> str | None:
    """The key of a bound that no command could be given."""
    for key, bound in (("from", source.first), ("to", source.last), ("step", source.step)):
        try:
            bounded(bound)
        except NoValueError:
            return key
    return None


def _lists(workload: Workload, document: Document) -> Iterator[tuple[ListOf, Pointer]]:
    """Lists that tasks are made of, each with the place of its entries."""
    for step in workload.steps:
        for source in _simple_sources(step):
            if isinstance(source, ListOf):
                pointer = (*source.pointer, "list")
                yield source, pointer if document.has(pointer) else source.pointer


def _lists_are_of_one_kind(workload: Workload, document: Document) -> Iterator[Problem]:
    """So that `item.name` means something for each entry, or for none."""
    for source, pointer in _lists(workload, document):
        first = source.values[0]
        for index, value in enumerate(source.values):
            if isinstance(value, Mapping) != isinstance(first, Mapping):
                message = "the list has both mappings and plain values"
                hint = "write all entries alike"
            elif not isinstance(value, Mapping) or not isinstance(first, Mapping):
                continue
            elif value.keys() != first.keys():
                message = "the entries of the list have different keys"
                hint = f"each entry has the keys of the first one: {_names(first)}"
            else:
                continue
            yield document.key_problem(
                (*pointer, index), code="uneven-list", message=message, hint=hint
            )
            break


def _values_keep_their_writing(workload: Workload, document: Document) -> Iterator[Problem]:
    """A version `3.10` in a list is the number 3.1, and would be written so in commands."""
    for source, pointer in _lists(workload, document):
        for where, value in _scalars(source, pointer):
            written = document.written(where)
            if isinstance(value, str) or document.value(where) != value:
                continue
            try:
                text = to_text(value)
            except NoValueError as error:
                yield document.problem(
                    where,
                    code="number",
                    message=error.message,
                    hint=f'to mean the digits, put them in quotes: `"{shorten(written)}"`',
                )
                continue
            if text != written:
                yield document.problem(
                    where,
                    code="rewritten",
                    message=f"`{shorten(written)}` is {describe(value)}, which a command gets"
                    f" as `{shorten(text)}`",
                    hint=f'to keep it, put it in quotes: `"{shorten(written)}"`; else write'
                    f" `{shorten(text)}`",
                )


def _scalars(source: ListOf, pointer: Pointer) -> Iterator[tuple[Pointer, Scalar]]:
    for index, value in enumerate(source.values):
        if isinstance(value, Mapping):
            yield from (((*pointer, index, key), each) for key, each in value.items())
        else:
            yield (*pointer, index), value


def _columns_are_equal(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        if not isinstance(step.for_each, ZipOf):
            continue
        known = [
            (name, count)
            for name, count in _counts(step.for_each.columns)
            if count is not None and count > 0
        ]
        for name, count in known[1:]:
            first, wanted = known[0]
            if count != wanted:
                yield document.key_problem(
                    (*step.for_each.pointer, "zip", name),
                    code="uneven-zip",
                    message=f"`{name}` has {_entries(count)}, but `{first}` has {wanted:,}",
                    hint="the columns of a `zip` are of one length; for all combinations: `matrix`",
                )


def _products_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        source = step.for_each
        match source:
            case MatrixOf():
                counts = [count for _, count in _counts(source.axes) if count is not None]
                count, key = prod(counts), "matrix"
            case ZipOf():
                counts = [count for _, count in _counts(source.columns) if count is not None]
                count, key = max(counts, default=0), "zip"
            case RangeOf():
                count, key = count_numbers(source), "range"
            case _:
                continue
        if count > MOST_TASKS:
            yield document.key_problem(
                (*source.pointer, key),
                code="too-many-tasks",
                message=f"this makes {shorten(f'{count:,}')} tasks; a step can have {MOST_TASKS:,}",
                hint="let each task work through a part of them, in a loop of its own",
            )


def _outputs_of_steps_are_known(workload: Workload, document: Document) -> Iterator[Problem]:
    steps = {step.name: step for step in workload.steps}
    for step in workload.steps:
        if not isinstance(step.for_each, OutputsOf):
            continue
        other = steps.get(step.for_each.step)
        if other is None or other is step or any(map(_is_named, other.outputs)):
            continue
        message = f"`{other.name}` has no outputs to run tasks for"
        if other.outputs:
            message = f"no output of `{other.name}` is one file of a known name on success"
        yield document.problem(
            (*step.for_each.pointer, "outputs_of"),
            code="no-named-output",
            message=message,
            hint=f"give `{other.name}` an output whose pattern has no wildcard, such as"
            ' `{pattern: "{{ index }}.txt", to: output}`',
        )


def _is_named(output: Output) -> bool:
    return not output.pattern.has_wildcard and output.when is not UploadCondition.FAILURE


def _simple_sources(step: Step) -> Iterator[SimpleSource]:
    yield from axes(step.for_each).values()
    if step.for_each is not None and not isinstance(step.for_each, MatrixOf | ZipOf | OutputsOf):
        yield step.for_each


def _counts(sources: Mapping[str, SimpleSource]) -> Iterator[tuple[str, int | None]]:
    """How many items each source gives; None where a file has to be read, or a container listed."""
    for name, source in sources.items():
        match source:
            case ListOf():
                yield name, len(source.values)
            case RangeOf():
                yield name, count_numbers(source)
            case _:
                yield name, None


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _names(keys: Mapping[str, object]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


SOURCES: tuple[Rule, ...] = (
    _ranges_have_numbers,
    _lists_are_of_one_kind,
    _values_keep_their_writing,
    _columns_are_equal,
    _products_are_possible,
    _outputs_of_steps_are_known,
)
