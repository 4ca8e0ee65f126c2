"""The items that a step is run for: how many there are, and what each brings to its task.

It knows nothing of commands; items are made when asked for, so that a million take no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runner.plan.model import InputFile
from runner.spec.filters import split_name
from runner.spec.terms import Role

Describe = Callable[[Role, InputFile], Mapping[str, object]]
"""What templates can say of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item: its name for people, what templates can speak of, and the files it brings.

    `folder` is the one that its outputs keep by default, empty for none.
    """

    label: str
    folder: str
    scope: Mapping[str, object]
    files: tuple[tuple[Role, InputFile], ...]


class Items(Protocol):
    """The items of one step, by index from 0."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item:
        """Raises `IndexError`; never asked for a negative index."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleItem:
    """The one item of a step without `for_each`: it brings nothing."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Item:
        if index != 0:
            raise IndexError(index)
        return Item(label="", folder="", scope={}, files=())


@dataclass(frozen=True, slots=True, kw_only=True)
class FileItems:
    """Each file of a container."""

    role: Role
    files: Sequence[InputFile]
    describe: Describe

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Item:
        file = self.files[index]
        return Item(
            label=file.path,
            folder=file.path.rpartition("/")[0],
            scope={"file": self.describe(self.role, file)},
            files=((self.role, file),),
        )


def describe_file(file: InputFile, *, url: str) -> Mapping[str, object]:
    """`file.*` of the templates."""
    folder, stem, extension = split_name(file.path)
    return {
        "path": file.path,
        "name": stem + extension,
        "dir": folder.removesuffix("/"),
        "stem": stem,
        "ext": extension,
        "size": file.size_bytes,
        "url": url,
    }
