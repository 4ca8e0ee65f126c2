"""What a client has been promised: what each thing must look like after any restart.

It must not know how things are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = tuple[Any, ...] | None
"""What is known of a thing; None where there is none."""


@dataclass(slots=True)
class Model:
    """The things of one client by their names, and the request that is under way."""

    facts: dict[str, Facts] = field(default_factory=dict)
    pending: Mapping[str, Facts] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    """Of things that change by requests alone."""
    ended: dict[str, tuple[Any, ...] | None] = field(default_factory=dict)
    """Tasks that are over, with how that was seen."""
    running: dict[str, int] = field(default_factory=dict)
    """Tasks that were seen to run, with how often they had been queued again by then."""
    acknowledged: int = 0

    def begin(self, changes: Mapping[str, Facts]) -> None:
        """A request is sent that makes all the changes, or none."""
        self.pending = changes

    def acknowledge(self) -> None:
        """The request was answered: it has made its changes."""
        self.facts.update(self.pending)
        self.acknowledged += 1
        for name in self.pending:
            self.etags.pop(name, None)
            if self.facts[name] is None:
                self._forget(name)
        self.pending = {}

    def refuse(self) -> None:
        """The request was answered: it has changed nothing."""
        self.pending = {}

    def judge(self, found: Mapping[str, Facts]) -> list[str]:
        """What is not as promised, in words; from now on what was found holds."""
        wrong = [
            f"{name}: promised {facts}, found {found[name]}"
            for name, facts in self.facts.items()
            if name not in self.pending and found[name] != facts
        ]
        before = [name for name in self.pending if found[name] == self.facts.get(name)]
        after = [name for name, facts in self.pending.items() if found[name] == facts]
        if len(self.pending) not in (len(before), len(after)):
            seen = {name: found[name] for name in self.pending}
            wrong.append(f"half done: asked for {self.pending}, found {seen}")
        for name in self.pending:
            self.etags.pop(name, None)
            if found[name] is None:
                self._forget(name)
        self.facts = dict(found)
        self.pending = {}
        return wrong

    def names(self) -> Iterable[str]:
        """All things that are or may be."""
        return {**self.facts, **self.pending}.keys()

    def present(self, prefix: str) -> list[str]:
        """The names of things that are there, in the order of their making."""
        return [name for name, f in self.facts.items() if name.startswith(prefix) and f is not None]

    def _forget(self, name: str) -> None:
        self.ended.pop(name, None)
        self.running.pop(name, None)
