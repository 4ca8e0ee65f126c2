"""The bodies of the operations on automatic scaling, and its part of a pool's.

It must not know the language of formulas, nor what the core does with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runner.emulator.batch.autoscale.faults import FormulaError
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import parse_duration
from runner.emulator.batch.core.pool import AutoScaleRule
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.shapes import Boolean, Duration, Field, Kind, Shape, Text
from runner.emulator.storage.record import record

LONGEST_FORMULA = 8192
DEFAULT_INTERVAL = "PT15M"
_TARGETS = ("targetDedicatedNodes", "targetLowPriorityNodes")
_SETTINGS = ("autoScaleFormula", "autoScaleEvaluationInterval")


@record(frozen=True, slots=True)
class Formula:
    """A formula: not longer than may be, and right as far as its text shows."""

    checked: bool = True

    def read(self, value: object, name: str) -> str:
        """As it is."""
        text = Text(empty=False).read(value, name)
        if len(text) > LONGEST_FORMULA:
            raise RefusedError(
                Reason.FORMULA_TOO_LONG,
                ("PropertyName", name),
                ("Reason", f"The formula has more than {LONGEST_FORMULA} characters"),
            )
        if self.checked:
            # Imported here: it takes a while, and few pools have a formula.
            from runner.emulator.batch.autoscale.evaluate import check_formula

            try:
                check_formula(text)
            except FormulaError as fault:
                raise RefusedError(
                    Reason.FORMULA_INVALID,
                    ("PropertyName", name),
                    ("PropertyValue", text),
                    ("Reason", str(fault)),
                ) from fault
        return text


_INTERVAL = Field(
    name="autoScaleEvaluationInterval",
    kind=Duration(low=timedelta(minutes=5), high=timedelta(hours=168)),
)
POOL_FIELDS = (
    Field(name="enableAutoScale", kind=Boolean(), default=False),
    Field(name="autoScaleFormula", kind=Formula()),
    _INTERVAL,
)
_ENABLE = Shape((Field(name="autoScaleFormula", kind=Formula()), _INTERVAL))
_EVALUATE = Shape((Field(name="autoScaleFormula", kind=Formula(checked=False), required=True),))


@record(frozen=True, slots=True)
class Scaled:
    """A pool whose targets are either given or set by a formula."""

    kind: Kind

    def read(self, value: object, name: str) -> dict[str, Any]:
        """As the pool itself is read; without targets where a formula sets them."""
        read: dict[str, Any] = self.kind.read(value, name)
        sent = value if isinstance(value, dict) else {}
        enabled = read["enableAutoScale"]
        for other in _TARGETS if enabled else _SETTINGS:
            if sent.get(other) is not None:
                state = "enabled" if enabled else "not enabled"
                raise invalid_property(
                    other, sent[other], f"The value may not be given where autoscale is {state}"
                )
        if not enabled:
            return read
        if "autoScaleFormula" not in read:
            raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "autoScaleFormula"))
        return _with_settings(
            {key: item for key, item in read.items() if key not in _TARGETS}, read
        )


def _with_settings(document: Document, settings: Document) -> dict[str, Any]:
    """The document with the settings where `enableAutoScale` stands."""
    updated: dict[str, Any] = {}
    for name, value in document.items():
        if name == "enableAutoScale":
            updated["enableAutoScale"] = True
            updated["autoScaleFormula"] = settings["autoScaleFormula"]
            interval = settings.get("autoScaleEvaluationInterval", DEFAULT_INTERVAL)
            updated["autoScaleEvaluationInterval"] = interval
        elif name not in _SETTINGS:
            updated[name] = value
    return updated


def auto_scale_rule(document: Document) -> AutoScaleRule | None:
    """What the core needs of a checked pool's automatic scaling."""
    if not document["enableAutoScale"]:
        return None
    interval = parse_duration(document["autoScaleEvaluationInterval"])
    assert interval is not None
    return AutoScaleRule(formula=document["autoScaleFormula"], interval=interval)


def decode_enabling(body: object, document: Document) -> Document:
    """A pool's document with the formula, the interval or both given anew."""
    given = _ENABLE.read({} if body is None else body, "")
    if not document["enableAutoScale"] and "autoScaleFormula" not in given:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "autoScaleFormula"))
    if not given:
        raise invalid_property(
            "autoScaleFormula", "", "A formula, an evaluation interval or both are required"
        )
    kept = {name: document[name] for name in _SETTINGS if name in document}
    return _with_settings(document, {**kept, **given})


def without_auto_scale(document: Document) -> Document:
    """A pool's document once its scaling is manual again."""
    kept = {name: value for name, value in document.items() if name not in _SETTINGS}
    return {**kept, "enableAutoScale": False}


def decode_evaluation(body: object) -> str:
    """The formula of `POST /pools/{id}/evaluateautoscale`."""
    formula: str = _EVALUATE.read(body, "")["autoScaleFormula"]
    return formula
