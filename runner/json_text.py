"""Reads JSON that others may have written, and has one error for all that is none.

It must not know where the text comes from, nor what it should say.
"""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """What it says; `ValueError` where it is no JSON, or nested deeper than can be read."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
