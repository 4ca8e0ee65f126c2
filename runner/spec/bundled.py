"""Where the schema and the example workloads lie: in a source checkout or in an installed wheel.

It knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def bundled(*parts: str) -> Path:
    """A path below `schema/` or `workloads/`, such as `bundled("workloads", "cat.yaml")`.

    Whether there is such a file is the caller's question.
    """
    installed = _PACKAGE / "bundled"
    root = installed if installed.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
