"""`/.emulator/faults`: reads and changes the rules of faults while the emulator runs.

It must not know what a rule does.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.control.gate import ControlError, Told
from runner.emulator.faults.choose import ActiveRule, Faults
from runner.emulator.faults.parse import FaultError, parse_rules
from runner.emulator.faults.rules import Rule


class FaultRules:
    """`GET` shows the rules with what they did, `PUT` replaces them, `POST` adds, `DELETE` removes.

    `PUT` and `POST` take one rule or a list, as files have them; one that cannot be read changes
    nothing. `DELETE /.emulator/faults/3` removes one.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def answer(self, told: Told) -> object:
        """The rules as they are then; after `POST` those that it added."""
        if told.path:
            return self._answer_one(told)
        match told.method:
            case "GET" | "HEAD":
                pass
            case "PUT":
                self._faults.replace(_read(told))
            case "POST":
                return self._show(self._faults.add(_read(told)))
            case "DELETE":
                self._faults.replace(())
            case _:
                raise ControlError(405, f"`{told.method}` is none of GET, PUT, POST and DELETE")
        return self._show(tuple(self._faults))

    def _answer_one(self, told: Told) -> object:
        digits = told.path.isascii() and told.path.isdigit() and len(told.path) < 10
        active = self._faults.get(int(told.path)) if digits else None
        if active is None:
            raise ControlError(404, f"there is no rule `{told.path}`")
        match told.method:
            case "GET" | "HEAD":
                pass
            case "DELETE":
                self._faults.remove(active.number)
            case _:
                raise ControlError(405, f"`{told.method}` is none of GET and DELETE")
        return show_rule(active)

    def _show(self, rules: tuple[ActiveRule, ...]) -> dict[str, Any]:
        return {"seed": self._faults.seed, "rules": [show_rule(active) for active in rules]}


def show_rule(active: ActiveRule) -> dict[str, Any]:
    """A rule as it was asked for, its number, and how often it could have struck and did."""
    return {
        "number": active.number,
        **dict(active.rule.words),
        "chances": active.chances,
        "strikes": active.strikes,
    }


def _read(told: Told) -> tuple[Rule, ...]:
    try:
        return parse_rules(told.body, "content")
    except FaultError as error:
        raise ControlError(400, str(error)) from error
