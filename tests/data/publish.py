"""Adds what is new in the schemas to the list of what was published; takes nothing away.

    python -m tests.data.publish

Whoever changes a key on purpose, with a new version, edits the list by hand.
"""

from __future__ import annotations

import json

from tests.data.documents import fields_of, names
from tests.data.test_schemas import KEPT


def main() -> None:
    """Writes the list."""
    kept: dict[str, dict[str, str]] = json.loads(KEPT.read_bytes()) if KEPT.exists() else {}
    for name in names():
        kept[name] = {**dict(fields_of(name)), **kept.get(name, {})}
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
