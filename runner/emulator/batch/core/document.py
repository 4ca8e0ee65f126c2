"""What a client declared, as the service gives it back; opaque to the core.

It must not know any property: shapes belong to the operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
"""Checked JSON with defaults filled in and secrets kept aside; never changed in place."""
