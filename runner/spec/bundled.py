"""Where the schema and the example workloads lie: in a source checkout or in an installed wheel.

It knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled(*parts: str) -> Path:
    """A file or folder below `schema/` or `workloads/`, such as `bundled("workloads", "cat.yaml")`.

    Raises `FileNotFoundError` where the installation lacks it.
    """
    for root in (_PACKAGE / "bundled", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"this installation lacks {'/'.join(parts)}")
