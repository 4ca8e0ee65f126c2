"""The items that a step is run for: how many there are, and what each brings to its task.

It knows nothing of commands or of the disk; items are made when asked for, so that a million take
no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from runner.frozen import dataclass
from runner.plan.file_table import FileTable
from runner.plan.model import BlobResource, OutputPlan
from runner.plan.references import Fields
from runner.spec.model.terms import Role
from runner.spec.templates.filters import split_name

STORED_FILE_FIELDS: Fields = dict.fromkeys(("path", "name", "dir", "stem", "ext", "size", "url"))
OUTPUT_FILE_FIELDS: Fields = dict.fromkeys(("path", "name", "dir", "stem", "ext", "url"))
"""A file that a task will leave has no size yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item: its name for people, what templates can speak of, and the files it brings.

    `folder` is the one that its outputs keep by default, empty for none.
    """

    label: str
    folder: str
    scope: Mapping[str, object]
    resources: tuple[BlobResource, ...]


class Items(Protocol):
    """The items of one step, by index from 0."""

    @property
    def names(self) -> Fields:
        """What templates can speak of, the same for every item."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Item:
        """Raises `IndexError`; never asked for a negative index."""
        ...


class SingleItem:
    """The one item of a step without `for_each`: it brings nothing."""

    @property
    def names(self) -> Fields:
        """Nothing."""
        return {}

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Item:
        if index != 0:
            raise IndexError(index)
        return Item(label="", folder="", scope={}, resources=())


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFiles:
    """Files of a container, and the URL of the container that theirs start with.

    Without `has_urls` no template asks for a file's URL, whose making would cost as much as all
    that is asked for.
    """

    role: Role
    files: FileTable
    url: str
    has_urls: bool = True

    def describe(self, index: int) -> tuple[Mapping[str, object], BlobResource]:
        """What templates can say of a file, and the file for a task's directory."""
        blob, path, size = self.files.name(index)
        file = describe_file(path)
        file["size"] = size
        if self.has_urls:
            file["url"] = f"{self.url}/{quote(blob)}"
        return file, BlobResource(role=self.role, blob=blob, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileItems:
    """Each file of a container: `file`."""

    source: ContainerFiles

    @property
    def names(self) -> Fields:
        """`file.*`."""
        return {"file": STORED_FILE_FIELDS}

    def __len__(self) -> int:
        return len(self.source.files)

    def __getitem__(self, index: int) -> Item:
        file, resource = self.source.describe(index)
        return Item(
            label=resource.path,
            folder=resource.path.rpartition("/")[0],
            scope={"file": file},
            resources=(resource,),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkItems:
    """Each so many files of a container: `files`, a list of what `file` would be."""

    source: ContainerFiles
    chunk: int

    @property
    def names(self) -> Fields:
        """`files`."""
        return {"files": None}

    def __len__(self) -> int:
        return (len(self.source.files) + self.chunk - 1) // self.chunk

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < len(self):
            raise IndexError(index)
        last = min((index + 1) * self.chunk, len(self.source.files))
        described = [self.source.describe(each) for each in range(index * self.chunk, last)]
        resources = tuple(resource for _, resource in described)
        count = len(resources)
        first = resources[0].path
        return Item(
            label=first if count == 1 else f"{first} … ({count} files)",
            folder="",
            scope={"files": tuple(file for file, _ in described)},
            resources=resources,
        )


class Producer(Protocol):
    """The step whose outputs another one is run for."""

    def __len__(self) -> int:
        """How many tasks it has."""
        ...

    def output(self, index: int, position: int) -> OutputPlan:
        """An output of one of its tasks."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputItems:
    """Each file that the tasks of a step leave by its named outputs: `file`, without a size."""

    producer: Producer
    outputs: Sequence[int]
    """The positions of the named outputs."""
    url_of: Callable[[Role], str]

    @property
    def names(self) -> Fields:
        """`file.*` but `file.size`."""
        return {"file": OUTPUT_FILE_FIELDS}

    def __len__(self) -> int:
        return len(self.producer) * len(self.outputs)

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < len(self):
            raise IndexError(index)
        task, position = divmod(index, len(self.outputs))
        output = self.producer.output(task, self.outputs[position])
        blob = output.blob
        assert blob is not None  # it is a named output
        file = describe_file(blob)
        file["url"] = f"{self.url_of(output.role)}/{quote(blob)}"
        return Item(
            label=blob,
            folder=blob.rpartition("/")[0],
            scope={"file": file},
            resources=(BlobResource(role=output.role, blob=blob, path=blob),),
        )


def describe_file(path: str) -> dict[str, object]:
    """`file.*` of the templates, but for the size and the URL."""
    folder, stem, extension = split_name(path)
    return {
        "path": path,
        "name": stem + extension,
        "dir": folder.removesuffix("/"),
        "stem": stem,
        "ext": extension,
    }
