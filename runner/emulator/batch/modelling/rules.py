"""What becomes of a modelled task: how long it runs and with what it exits, by rule and by chance.

It must not know when it starts, nor what time it is.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from runner.emulator.phrases import (
    PhraseError,
    find,
    parse_duration,
    parse_exit_code,
    parse_name,
    parse_one_of,
    parse_share,
    parse_span,
    read,
    split_words,
)
from runner.emulator.storage.record import record

VARIABLE = "BATCH_RUN_MODEL"
"""A task's own rule, among its environment settings; it goes before all others."""

_SCOPES = ("account", "pool", "job", "task", "kind")
_KINDS = ("task", "start", "preparation", "release")
_KEYS = ("exit", "rate", *_SCOPES)
# A day is the longest that an exponential of an hour gets once in 26 billion times.
_LONGEST_OF_MEAN = 100


class ModelError(Exception):
    """A rule cannot be read; the message is one line for people, and says where."""


@record(frozen=True, slots=True, kw_only=True)
class Even:
    """A duration drawn evenly from between two, or always the same."""

    shortest: timedelta
    longest: timedelta


@record(frozen=True, slots=True, kw_only=True)
class Exponential:
    """A duration drawn from the exponential distribution with a mean."""

    mean: timedelta


@record(frozen=True, slots=True, kw_only=True)
class ModelRule:
    """What the tasks do that all patterns fit: `exit_code` with probability `rate`, else 0."""

    duration: Even | Exponential
    exit_code: int
    rate: float
    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Course:
    """How one execution goes."""

    duration: timedelta
    exit_code: int


class Model:
    """Rules, of which the first that fits decides; draws follow from the seed and the execution."""

    def __init__(self, rules: Sequence[ModelRule], *, seed: int) -> None:
        self._rules = tuple(rules)
        self._seed = seed

    def course(self, subject: Mapping[str, str], attempt: int, own: str | None = None) -> Course:
        """How an execution goes: `subject` is what patterns are held against, `own` its own rule.

        Raises `ModelError` where that cannot be read.
        """
        rule = self._find(subject) if own is None else _parse_own(own)
        if isinstance(rule.duration, Even) and not _is_drawn(rule):
            return Course(duration=rule.duration.shortest, exit_code=rule.exit_code)
        names = "/".join(subject.values())
        drawn = random.Random(f"{self._seed}/{names}/{attempt}")  # noqa: S311 - no secret
        duration = _draw(rule.duration, drawn)
        failed = drawn.random() < rule.rate
        return Course(duration=duration, exit_code=rule.exit_code if failed else 0)

    def _find(self, subject: Mapping[str, str]) -> ModelRule:
        for rule in self._rules:
            if all(
                any(fnmatchcase(subject.get(name, "").lower(), pattern) for pattern in patterns)
                for name, patterns in rule.patterns
            ):
                return rule
        return _USUAL


def _is_drawn(rule: ModelRule) -> bool:
    duration = rule.duration
    fixed = isinstance(duration, Even) and duration.shortest == duration.longest
    return not fixed or (rule.rate < 1 and rule.exit_code != 0)


def _draw(duration: Even | Exponential, drawn: random.Random) -> timedelta:
    match duration:
        case Even():
            return duration.shortest + drawn.random() * (duration.longest - duration.shortest)
        case Exponential():
            return min(drawn.expovariate(1.0), _LONGEST_OF_MEAN) * duration.mean


_USUAL = ModelRule(
    duration=Even(shortest=timedelta(seconds=1), longest=timedelta(seconds=1)),
    exit_code=0,
    rate=1.0,
)


def parse_model(text: str) -> ModelRule:
    """A rule such as `10s..60s exit=1 rate=0.02 task=frame-*`; raises `ModelError`."""
    return _parse(text, f"`--model '{text}'`", _KEYS)


def _parse_own(text: str) -> ModelRule:
    return _parse(text, f"`{VARIABLE}={text}`", ("exit", "rate"))


def _parse(text: str, where: str, keys: tuple[str, ...]) -> ModelRule:
    words = split_words(text)
    if not words:
        raise ModelError(f"{where} is empty; it begins with a duration such as `30s`")
    first, *others = words
    positions = {word.name: word.position for word in others}
    values: dict[str, str] = {}
    for word in others:
        if word.name not in keys or word.value is None or word.name in values:
            wrong = "there a second time" if word.name in values else "no `key=value`"
            if word.name not in keys:
                known = ", ".join(f"`{key}`" for key in keys)
                wrong = f"no key of a model; its keys are {known}"
            raise ModelError(f"{where}, character {word.position}: `{word.name}` is {wrong}")
        values[word.name] = word.value
    try:
        duration = _parse_distribution(text[first.position - 1 :].split(maxsplit=1)[0])
        return _make(duration, values)
    except PhraseError as error:
        at = positions.get(error.key, first.position)
        raise ModelError(f"{where}, character {at}: {error.message}") from error
    except ValueError as error:
        raise ModelError(f"{where}, character {first.position}: {error}") from error


def _make(duration: Even | Exponential, values: Mapping[str, str]) -> ModelRule:
    find(values, "kind", parse_one_of(*_KINDS))
    exit_code = read(values, "exit", parse_exit_code, 1 if "rate" in values else 0)
    patterns = []
    for name in _SCOPES:
        text = find(values, name, parse_name)
        if text is not None:
            patterns.append((name, tuple(part for part in text.lower().split(",") if part)))
    return ModelRule(
        duration=duration,
        exit_code=exit_code,
        rate=read(values, "rate", parse_share, 1.0),
        patterns=tuple(patterns),
    )


def _parse_distribution(text: str) -> Even | Exponential:
    if text.startswith("~"):
        return Exponential(mean=parse_duration(text[1:]))
    shortest, longest = parse_span(text)
    return Even(shortest=shortest, longest=longest)
