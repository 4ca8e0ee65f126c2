"""Headers that clients ask for, of the requests which send output files.

It must not know what the headers do to a blob, nor when they are sent.
"""

from __future__ import annotations

from runner.emulator.batch.core.refusal import invalid_property
from runner.emulator.batch.operations.shapes import Field, Items, Shape, Text
from runner.emulator.storage.record import record

_OF_THE_REQUEST = frozenset(
    {
        *("authorization", "connection", "content-length", "content-md5", "date", "expect"),
        *("host", "te", "trailer", "transfer-encoding", "upgrade", "x-ms-blob-content-md5"),
        *("x-ms-blob-type", "x-ms-content-crc64", "x-ms-date", "x-ms-version"),
    }
)
_NAME = Text(empty=False, pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@record(frozen=True, slots=True)
class HeaderName:
    """A header that is not of the transfer itself: those follow from the file."""

    def read(self, value: object, name: str) -> str:
        """As it is written."""
        text = _NAME.read(value, name)
        if text.lower() in _OF_THE_REQUEST:
            raise invalid_property(name, text, "The header is not one that may be asked for")
        return text


UPLOAD_HEADERS = Items(
    kind=Shape(
        (
            Field(name="name", kind=HeaderName(), required=True),
            # What else there is in HTTP has no form that all servers read alike.
            Field(name="value", kind=Text(pattern=r"[\t\x20-\x7e]*")),
        )
    )
)
