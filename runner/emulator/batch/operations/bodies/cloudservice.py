"""Pools of the older kind, made of cloud services; api-versions before 2024-07 have them.

It must not know that their nodes are this machine, as all nodes are.
"""

from __future__ import annotations

from runner.emulator.batch.operations.shapes import Field, Shape, Text

CLOUD_SERVICE = Shape(
    (
        Field(name="osFamily", kind=Text(empty=False), required=True),
        Field(name="osVersion", kind=Text(empty=False), default="*"),
    )
)
