"""What makes tasks trust an emulator that is served over TLS: files of the node, and variables.

A node may see nothing of the emulator's own directory, so each has copies. It must not know what
tasks do with them.
"""

from __future__ import annotations

import shutil

from runner.emulator.batch.core.node import Node
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.node.launch import NodeDirectories
from runner.emulator.server.trust import Trust


def put_trust(place: Place, directories: NodeDirectories) -> None:
    """Copies the files into a node, if there are any; raises `OSError`."""
    if place.trust is None:
        return
    there = _trust_in(directories)
    there.authority.parent.mkdir(parents=True, exist_ok=True)
    for source, target in (
        (place.trust.authority, there.authority),
        (place.trust.bundle, there.bundle),
    ):
        shutil.copyfile(source, target)
        # Tasks may be run by another user, and there is no secret in them.
        target.chmod(0o644)


def trust_variables(place: Place, node: Node) -> dict[str, str]:
    """The variables that lead programs to the files; what users set takes their place."""
    return {} if place.trust is None else _trust_in(place.directories(node)).variables()


def _trust_in(directories: NodeDirectories) -> Trust:
    folder = directories.root / "volatile" / "certificates"
    return Trust(authority=folder / "ca.pem", bundle=folder / "ca-bundle.pem")
