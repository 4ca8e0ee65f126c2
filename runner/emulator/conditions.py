"""The conditions that the emulator works under: faults, modelled tasks, and how time passes.

It must not know how faults strike, what a model says, nor which accounts there are.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from runner.emulator.batch.modelling.given import Modelling
from runner.emulator.batch.modelling.passage import Mode, Passage, RealTime, VirtualTime
from runner.emulator.batch.modelling.rules import Model, ModelError, parse_model
from runner.emulator.control.faults import FaultRules
from runner.emulator.control.gate import ControlGate, Resource
from runner.emulator.control.time import TimeControl
from runner.emulator.faults.choose import Faults
from runner.emulator.faults.parse import FaultError, load_rules, parse_option
from runner.emulator.options import Options
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import Service
from runner.emulator.storage.record import record


class ConditionsError(Exception):
    """The options ask for something that there is not; the message is one line for people."""


@record(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all accounts have in common; `clock` is as wrong as faults have it."""

    faults: Faults
    modelling: Modelling | None
    clock: Callable[[], datetime]
    seed: int
    draws: bool
    """Whether the options ask for anything that is drawn."""

    def describe(self) -> str:
        """What there is to be said at the start, a line or nothing."""
        if not self.draws:
            return ""
        return f"emulator: seed {self.seed} (`--seed {self.seed}` repeats what is drawn)\n"

    def strike(self, services: Mapping[Account, Service]) -> dict[Account, Service]:
        """The services as faults leave them."""
        # Imported here, with the services: options are checked before these are loaded.
        from runner.emulator.faults.inject import FaultyService

        return {
            account: FaultyService(
                service,
                account=account,
                faults=self.faults,
                clock=self.clock,
                sleep=asyncio.sleep,
            )
            for account, service in services.items()
        }

    def admit(self, accounts: Service, others: Mapping[str, Resource]) -> Service:
        """All accounts, and before them what the emulator itself can be told."""
        return ControlGate(accounts, {**self.resources(), **others})

    def resources(self) -> dict[str, Resource]:
        """What the emulator itself can be told, by name."""
        passage = None if self.modelling is None else self.modelling.passage
        return {"faults": FaultRules(self.faults), "time": TimeControl(passage, self.clock)}

    def now(self) -> datetime:
        """What time it is for tasks."""
        return self.clock() if self.modelling is None else self.modelling.passage.now()


def read_conditions(options: Options, clock: Callable[[], datetime]) -> Conditions:
    """The conditions that options ask for; raises `ConditionsError`."""
    try:
        rules = [parse_option(text) for text in options.fault]
        if options.faults is not None:
            rules.extend(load_rules(options.faults))
        models = [parse_model(text) for text in options.model]
    except (FaultError, ModelError) as error:
        raise ConditionsError(str(error)) from error
    if options.time != "real" and not models:
        raise ConditionsError(
            f"`--time {options.time}` needs `--model`: what processes do takes real time"
        )
    seed = secrets.randbelow(10**9) if options.seed is None else options.seed
    faults = Faults(rules, seed=seed)

    def wrong_clock() -> datetime:
        return clock() + faults.skew

    modelling = None
    if models:
        passage: Passage = (
            RealTime(wrong_clock)
            if options.time == "real"
            else VirtualTime(wrong_clock, Mode(options.time))
        )
        modelling = Modelling(model=Model(models, seed=seed), passage=passage)
    return Conditions(
        faults=faults,
        modelling=modelling,
        clock=wrong_clock,
        seed=seed,
        draws=bool(rules or models),
    )
