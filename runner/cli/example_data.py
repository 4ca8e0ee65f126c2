"""The data of an example, copied beside a spec that starts from it.

It knows nothing of what the spec does with them, and leaves what is there already as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.errors import UsageError, describe_os_error


def copy_data(sources: Iterable[str], *, example: Path, target: Path) -> Iterator[str]:
    """Copies each file or folder, by its path relative to both folders; a line for each.

    One that the target has already is left alone, whatever it is. Raises `UsageError` where one
    cannot be copied; that one is then not there, not even in part.
    """
    for source in dict.fromkeys(sources):
        destination = target / source
        if os.path.lexists(destination):
            yield f"`{source}` is there already, and left as it is"
            continue
        try:
            count = _copy(example / source, destination)
        except OSError as error:
            raise UsageError(f"cannot copy `{source}`: {describe_os_error(error)}") from error
        yield f"copied `{source}`: {count} file{'' if count == 1 else 's'}"


def _copy(source: Path, destination: Path) -> int:
    """How many files were copied: beside the destination first, so that it is there whole."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=destination.parent, prefix=".batch-run-") as folder:
        part = Path(folder, destination.name)
        # Contents alone: what is installed may be read-only, and the copy is to be worked with.
        if source.is_dir():
            shutil.copytree(source, part, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, part)
        count = sum(each.is_file() for each in (part, *part.rglob("*")))
        part.rename(destination)
    return count
