"""What can be wrong with a response, and where.

It must not know how it was found, nor what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """Kinds of findings."""

    OPERATION_UNKNOWN = "no operation has this verb and path"
    STATUS_UNKNOWN = "the status is not documented"
    HEADER_MISSING = "a documented header is missing"
    HEADER_MALFORMED = "a header does not have its form"
    BODY_MISSING = "a body is documented"
    BODY_UNKNOWN = "no body is documented"
    BODY_MALFORMED = "the body is not JSON"
    PROPERTY_MISSING = "a required property is missing"
    PROPERTY_UNKNOWN = "the property is not documented"
    TYPE_WRONG = "the value has another type"
    FORM_WRONG = "the value has another form"
    WORD_UNKNOWN = "the word is not one of the documented ones"
    CODE_UNKNOWN = "the error code is not known with this status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`place` names what is wrong whatever the request was: `Model.property`, or an operation and
    a header; `path` is where it stands in this body."""

    fault: Fault
    place: str
    path: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = f"{self.place} at `{self.path}`" if self.path else self.place
        shown = f": {self.value}" if self.value else ""
        return f"{where}: {self.fault.value}{shown}"
