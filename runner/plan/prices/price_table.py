"""A user's own table of prices, from the text of a YAML or JSON file to values.

It must not know where the file is, nor what is bought.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from runner.frozen import dataclass
from runner.plan.prices.node_price import MOST, NodePrice
from runner.spec.document import Document, Pointer, read_document
from runner.spec.problem import Problem, SpecError
from runner.spec.suggestion import suggest

EXAMPLE = "currency: EUR\nvm_sizes:\n  Standard_D2s_v5: {dedicated: 0.11, spot: 0.03}"
"""The least that a table may be."""
_KEYS = ("currency", "region", "as_of", "vm_sizes")
_KINDS = ("dedicated", "spot")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_NO_SPEC = frozenset({"empty", "not-a-mapping"})
_CODE = "price-table"
_WHAT = "the table of prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices of an hour by VM size, whose names are compared as Azure does: in any case."""

    name: str
    prices: Mapping[str, NodePrice]
    """By the lower-case name of the VM size."""

    def find(self, vm_size: str) -> NodePrice | None:
        """The price of a VM size; None where the table has none."""
        return self.prices.get(vm_size.lower())

    def suggest(self, vm_size: str) -> str:
        """What may be meant instead, and what there is."""
        sizes = (price.vm_size for price in self.prices.values())
        return suggest(vm_size, sizes, label="in the table")


def read_price_table(name: str, content: bytes) -> PriceTable:
    """The table of a file; `SpecError` with all that is wrong in it, each at its place."""
    document, problems = read_document(name, content)
    if document is None:
        raise SpecError(map(_of_prices, problems), what=_WHAT)
    problems = (*problems, *_check(document))
    if problems:
        raise SpecError(problems, what=_WHAT)
    data = document.data
    region = data.get("region")
    source = name if region is None else f"{name} ({region})"
    prices = {
        size.lower(): NodePrice(
            vm_size=size,
            currency=data["currency"],
            dedicated=_number(kinds.get("dedicated")),
            spot=_number(kinds.get("spot")),
            source=source,
            as_of=data.get("as_of"),
        )
        for size, kinds in data["vm_sizes"].items()
    }
    return PriceTable(name=name, prices=prices)


def _of_prices(problem: Problem) -> Problem:
    """What is said of a file that is no spec, where none is wanted."""
    if problem.code not in _NO_SPEC:
        return problem
    message = "a table of prices has a `currency` and `vm_sizes`"
    return replace(problem, message=message, hint=f"the least is: {EXAMPLE!r}")


def _check(document: Document) -> Iterator[Problem]:
    data = document.data
    for key in data:
        if key not in _KEYS:
            message = f"unknown key `{key}` in a table of prices"
            hint = suggest(key, _KEYS)
            yield document.key_problem((key,), code="unknown-key", message=message, hint=hint)
    for key in ("currency", "vm_sizes"):
        if key not in data:
            yield document.problem((), code="missing-key", message=f"`{key}` is missing")
    yield from _check_text(document, "currency", _CURRENCY, "three letters such as `EUR`")
    yield from _check_text(document, "as_of", _DAY, "a day such as `2026-01-31`")
    yield from _check_text(document, "region", re.compile(r"\S"), "text such as `westeurope`")
    sizes = data.get("vm_sizes")
    if "vm_sizes" in data and (not isinstance(sizes, dict) or not sizes):
        message = "`vm_sizes` must be a mapping of VM sizes to prices"
        yield document.problem(("vm_sizes",), code=_CODE, message=message)
    elif isinstance(sizes, dict):
        yield from _check_sizes(document, sizes)


def _check_text(
    document: Document, key: str, pattern: re.Pattern[str], wanted: str
) -> Iterator[Problem]:
    value = document.data.get(key)
    if key not in document.data or (isinstance(value, str) and pattern.match(value)):
        return
    yield document.problem((key,), code=_CODE, message=f"`{key}` must be {wanted}")


def _check_sizes(document: Document, sizes: Mapping[str, object]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for size, kinds in sizes.items():
        at: Pointer = ("vm_sizes", size)
        other = seen.setdefault(size.lower(), size)
        if other != size:
            message = f"`{size}` is the same VM size as `{other}`"
            yield document.key_problem(at, code=_CODE, message=message)
        if not isinstance(kinds, dict) or not kinds:
            message = f"`{size}` must be a mapping such as `{{dedicated: 0.11, spot: 0.03}}`"
            yield document.problem(at, code=_CODE, message=message)
            continue
        for kind, price in kinds.items():
            if kind not in _KINDS:
                message, hint = f"unknown key `{kind}` of `{size}`", suggest(kind, _KINDS)
                yield document.key_problem(
                    (*at, kind), code="unknown-key", message=message, hint=hint
                )
            elif not _is_price(price):
                message = f"the price of `{size}` must be a number from 0 to 1e9"
                yield document.problem((*at, kind), code=_CODE, message=message)


def _is_price(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= MOST


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
