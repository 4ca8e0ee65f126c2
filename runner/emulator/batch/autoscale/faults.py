"""What is wrong with a formula, and where.

It must not know how that is reported.
"""

from __future__ import annotations

from enum import Enum

from runner.emulator.storage.record import record


@record(frozen=True, slots=True)
class Position:
    """Where something stands; both count from 1."""

    line: int
    column: int


class FaultKind(Enum):
    """When a fault can be known: from the text, only by evaluating, only from the samples."""

    SYNTAX = "syntax"
    EVALUATION = "evaluation"
    DATA = "data"


@record(frozen=True, slots=True)
class Fault:
    """What a formula ended in; the message has the service's form."""

    kind: FaultKind
    message: str

    def __str__(self) -> str:
        return self.message


class FormulaError(Exception):
    """A formula that cannot be read or evaluated; the message has the service's form."""

    def __init__(
        self, position: Position, text: str, *, kind: FaultKind = FaultKind.EVALUATION
    ) -> None:
        super().__init__(f"Line {position.line}, Col {position.column}: {text}")
        self.kind = kind

    @property
    def fault(self) -> Fault:
        """The error as a value that can be kept."""
        return Fault(self.kind, str(self))
