"""Queries are decoded as the standard library does."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.server.queries import parse_query

_TEXT = st.text(alphabet="ab&=+%20F;#é/?", max_size=40)


@given(_TEXT)
def test_they_are_decoded_as_the_standard_library_does(text: str) -> None:
    assert parse_query(text) == tuple(parse_qsl(text, keep_blank_values=True))


@pytest.mark.parametrize("text", ["", "&&", "a", "=", "a=b=c", "a=1&a=2", "a=" + "%41" * 1000])
def test_edges(text: str) -> None:
    assert parse_query(text) == tuple(parse_qsl(text, keep_blank_values=True))
