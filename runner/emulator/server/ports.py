"""The ports that an emulator of one data directory has listened on, the latest last.

URLs that clients have made for tasks name the port of their time. It must not know what is served.
"""

from __future__ import annotations

from pathlib import Path

from runner.emulator.storage.error import DataError

_FILE = "ports"
_HIGHEST = 65535


def read_ports(directory: Path) -> tuple[int, ...]:
    """Those of earlier times; none where this is the first. Raises `DataError`."""
    path = directory / _FILE
    try:
        lines = path.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read") from error
    return tuple(
        int(line) for line in lines if line.isdigit() and len(line) < 6 and int(line) <= _HIGHEST
    )


def note_port(directory: Path, port: int) -> None:
    """Remembers the one that is listened on now. Raises `DataError`."""
    ports = read_ports(directory)
    if ports[-1:] == (port,):
        return
    path = directory / _FILE
    try:
        with path.open("a", encoding="ascii") as stream:
            stream.write(f"{port}\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
