"""What makes tasks trust an emulator that is served over TLS: files of the node, and variables.

A node may see nothing of the emulator's own directory, so each has copies. It must not know what
tasks do with them.
"""

from __future__ import annotations

from runner.emulator.batch.core.node import Node
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.node.containment import NodeFolder, directory_below
from runner.emulator.batch.node.directories import put_file
from runner.emulator.batch.node.launch import NodeDirectories
from runner.emulator.server.trust import Trust

_FOLDER = ("volatile", "certificates")
_AUTHORITY = "ca.pem"
_BUNDLE = "ca-bundle.pem"


def put_trust(place: Place, directories: NodeDirectories) -> None:
    """Copies the files into a node, if there are any; raises `OSError`."""
    if place.trust is None:
        return
    folder = NodeFolder(directories.root, _FOLDER)
    with directory_below(folder, create=True, replace_links=True) as directory:
        for source, name in ((place.trust.authority, _AUTHORITY), (place.trust.bundle, _BUNDLE)):
            # Tasks may be run by another user, and there is no secret in them.
            put_file(name, directory, source.read_bytes(), 0o644)


def trust_variables(place: Place, node: Node) -> dict[str, str]:
    """The variables that lead programs to the files; what users set takes their place."""
    return {} if place.trust is None else _trust_in(place.directories(node)).variables()


def _trust_in(directories: NodeDirectories) -> Trust:
    folder = directories.root.joinpath(*_FOLDER)
    return Trust(authority=folder / _AUTHORITY, bundle=folder / _BUNDLE)
