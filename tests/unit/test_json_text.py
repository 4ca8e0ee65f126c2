"""Whatever is no JSON, or cannot be read, is a `ValueError`."""

from __future__ import annotations

import pytest

from runner.json_text import read_json


@pytest.mark.parametrize("text", ['{"a": [1, "ä"]}', '{"a": [1, "ä"]}'.encode()])
def test_text_and_bytes_are_read(text: str | bytes) -> None:
    assert read_json(text) == {"a": [1, "ä"]}


@pytest.mark.parametrize("text", ["", "no json", b"\xff", '{"a": 1} 2'], ids=repr)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_without_end_is_one_too(opening: str) -> None:
    with pytest.raises(ValueError, match=r"^it is nested too deeply$"):
        read_json(opening * 100_000)
