"""The parameters that a spec declares, read as completion needs it: quickly, or not at all.

It must not know what they are used for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_MOST_BYTES = 1024 * 1024


def read_parameters(path: Path) -> Iterator[tuple[str, str]]:
    """Names and descriptions; none where the file is no spec, or one with problems.

    Raises `OSError`.
    """
    import yaml

    with path.open("rb") as file:
        text = file.read(_MOST_BYTES)
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe, and in C where that is there
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    declared = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(declared, dict):
        return
    for name, what in declared.items():
        description = what.get("description") if isinstance(what, dict) else None
        yield str(name), str(description or "")
