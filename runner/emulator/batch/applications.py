"""The application packages of an account: zip files in a folder, looked at whenever it is asked.

`<id>/<version>.zip` is a package; `<id>/default` names the version for who asks for none, and
`<id>/name` has a name for people. It must not know who uses packages.
"""

from __future__ import annotations

from pathlib import Path

from runner.emulator.storage.record import record

_ENDING = ".zip"


@record(frozen=True, slots=True, kw_only=True)
class Application:
    """An application with its versions, in order; ids and versions keep their case."""

    id: str
    versions: tuple[str, ...]
    default_version: str | None
    display_name: str | None


class Applications:
    """What lies in a folder, which need not be there."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def all(self) -> tuple[Application, ...]:
        """Every application, by id."""
        if self._root is None or not self._root.is_dir():
            return ()
        folders = [entry for entry in self._root.iterdir() if entry.is_dir()]
        return tuple(_read(folder) for folder in sorted(folders, key=lambda each: each.name))

    def find(self, identifier: str) -> Application | None:
        """The application with an id, whatever its case."""
        for application in self.all():
            if application.id.lower() == identifier.lower():
                return application
        return None

    def package(self, identifier: str, version: str | None) -> Path | None:
        """The zip file of a version, of the default one for None; None where there is no such."""
        application = self.find(identifier)
        wanted = version or (None if application is None else application.default_version)
        if self._root is None or application is None or wanted is None:
            return None
        for known in application.versions:
            if known.lower() == wanted.lower():
                return self._root / application.id / f"{known}{_ENDING}"
        return None


def _read(folder: Path) -> Application:
    files = [entry for entry in folder.iterdir() if entry.is_file()]
    versions = [entry.name.removesuffix(_ENDING) for entry in files if entry.suffix == _ENDING]
    return Application(
        id=folder.name,
        versions=tuple(sorted(versions)),
        default_version=_line(folder / "default"),
        display_name=_line(folder / "name"),
    )


def _line(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, IsADirectoryError):
        return None
    return text or None
