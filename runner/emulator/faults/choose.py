"""Decides which faults strike, repeatably: the n-th chance of a rule always falls the same way.

It must not know how a fault is brought about, nor any time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from runner.emulator.faults.rules import (
    Effect,
    ErrorAnswer,
    Latency,
    NodeLoss,
    RequestEffect,
    Reset,
    ResizeError,
    Rule,
    Silence,
    Skew,
    StartTaskFailure,
    TaskError,
    Transfer,
    TransferFailure,
)
from runner.emulator.storage.record import record

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class ActiveRule:
    """A rule in force, with its number and what it did: `chances` fitted, `strikes` struck."""

    number: int
    rule: Rule
    chances: int = 0
    strikes: int = 0


@record(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault that strikes: the rule's number, and a number from 0 to 1 for what is left open."""

    rule: int
    effect: Effect
    draw: float

    @property
    def name(self) -> str:
        """How records call it."""
        return f"{self.rule}:{_name_of(self.effect)}"


class Faults:
    """The rules in force; they may change at any time, from one thread."""

    def __init__(self, rules: Iterable[Rule] = (), *, seed: int) -> None:
        self.seed = seed
        self.skew = timedelta()
        """How far the emulator's clock is ahead."""
        self.strikes_requests = False
        """Whether any rule is about requests; otherwise they are not looked at."""
        self.strikes_batch = False
        """Whether any rule is about tasks or nodes."""
        self._rules: dict[int, ActiveRule] = {}
        self._given = 0
        self._listeners: list[Callable[[], None]] = []
        self.add(rules)

    def __iter__(self) -> Iterator[ActiveRule]:
        return iter(tuple(self._rules.values()))

    def get(self, number: int) -> ActiveRule | None:
        """The rule with a number, or None."""
        return self._rules.get(number)

    def add(self, rules: Iterable[Rule]) -> tuple[ActiveRule, ...]:
        """Puts further rules into force."""
        added = []
        for rule in rules:
            self._given += 1
            self._rules[self._given] = ActiveRule(number=self._given, rule=rule)
            added.append(self._rules[self._given])
        self._look()
        return tuple(added)

    def replace(self, rules: Iterable[Rule]) -> tuple[ActiveRule, ...]:
        """Puts these rules into force in place of all others, numbered from 1."""
        self._rules.clear()
        self._given = 0
        return self.add(rules)

    def remove(self, number: int) -> bool:
        """Takes a rule out of force; whether there was one."""
        if self._rules.pop(number, None) is None:
            return False
        self._look()
        return True

    def listen(self, changed: Callable[[], None]) -> None:
        """Has a function called whenever the rules change."""
        self._listeners.append(changed)

    def of_request(self, subject: Mapping[str, str]) -> tuple[Strike, ...]:
        """What strikes a request: delays, then at most one fault that decides its answer."""
        delays: list[Strike] = []
        decisive: Strike | None = None
        for active in self:
            effect = active.rule.effect
            if not isinstance(effect, RequestEffect) or not self._fits(active, subject):
                continue
            if decisive is not None and not isinstance(effect, Latency):
                continue
            strike = self._strike(active)
            if strike is None:
                continue
            if isinstance(effect, Latency):
                delays.append(strike)
            else:
                decisive = strike
        return (*delays, decisive) if decisive is not None else tuple(delays)

    def of_task(self, subject: Mapping[str, str]) -> TaskError | None:
        """What strikes a task that is about to be added, if anything does."""
        effect = self._first(subject, TaskError)
        return effect if isinstance(effect, TaskError) else None

    def of_transfers(self, subject: Mapping[str, str]) -> dict[Transfer, str]:
        """What strikes the transfers of a task that is about to run, and the code of each."""
        struck: dict[Transfer, str] = {}
        for active in self:
            effect = active.rule.effect
            if not isinstance(effect, TransferFailure) or effect.transfer in struck:
                continue
            if self._fits(active, subject) and self._strike(active) is not None:
                struck[effect.transfer] = effect.code
        return struck

    def of_start_task(self, subject: Mapping[str, str]) -> StartTaskFailure | None:
        """What strikes a start task that is about to run, if anything does."""
        effect = self._first(subject, StartTaskFailure)
        return effect if isinstance(effect, StartTaskFailure) else None

    def of_resize(self, subject: Mapping[str, str]) -> ResizeError | None:
        """What strikes a resize that has begun, if anything does."""
        effect = self._first(subject, ResizeError)
        return effect if isinstance(effect, ResizeError) else None

    def of_node_loss(self, active: ActiveRule) -> Strike | None:
        """Whether the loss that is due strikes."""
        active.chances += 1
        return self._strike(active)

    def shuffled(self, active: ActiveRule, items: Iterable[T]) -> list[T]:
        """The items in the order in which a rule draws them."""
        drawn = list(items)
        self._random(active, active.strikes, "order").shuffle(drawn)
        return drawn

    def _first(self, subject: Mapping[str, str], kind: type[Effect]) -> Effect | None:
        for active in self:
            if isinstance(active.rule.effect, kind) and self._fits(active, subject):
                strike = self._strike(active)
                if strike is not None:
                    return strike.effect
        return None

    def _fits(self, active: ActiveRule, subject: Mapping[str, str]) -> bool:
        if not active.rule.scope.covers(subject):
            return False
        active.chances += 1
        return True

    def _strike(self, active: ActiveRule) -> Strike | None:
        """Whether a rule takes the chance that was just counted."""
        occasion = active.rule.occasion
        turn = active.chances - occasion.after
        if turn < 1 or turn % occasion.every:
            return None
        if occasion.first is not None and active.strikes >= occasion.first:
            return None
        # From the rule and the chance alone: other rules and their requests change nothing.
        drawn = self._random(active, active.chances, "chance")
        if drawn.random() >= occasion.rate:
            return None
        active.strikes += 1
        return Strike(rule=active.number, effect=active.rule.effect, draw=drawn.random())

    def _random(self, active: ActiveRule, turn: int, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{active.number}/{turn}/{what}")  # noqa: S311 - no secret

    def _look(self) -> None:
        effects = [active.rule.effect for active in self]
        self.skew = sum(
            (effect.offset for effect in effects if isinstance(effect, Skew)), timedelta()
        )
        self.strikes_requests = any(isinstance(effect, RequestEffect) for effect in effects)
        self.strikes_batch = any(
            isinstance(
                effect, TaskError | TransferFailure | StartTaskFailure | ResizeError | NodeLoss
            )
            for effect in effects
        )
        for changed in self._listeners:
            changed()


def _name_of(effect: Effect) -> str:
    match effect:
        case Latency():
            return "latency"
        case ErrorAnswer():
            return str(effect.status)
        case Reset():
            return f"reset={effect.stage.value}"
        case Silence():
            return f"timeout={effect.stage.value}"
        case _:
            return type(effect).__name__
