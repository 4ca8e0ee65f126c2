"""The pages of documentation as tests read them: sections, fenced blocks, links.

It must not know what any page says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_SECTION = re.compile(r"^(#{1,3}) (.+)\n", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAME = re.compile(r"^(?:#|//) (\S+\.(?:py|cjs|yaml))\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; `name` is the file that its first line names, if it does."""

    language: str
    text: str

    @property
    def name(self) -> str | None:
        """The file that it is meant to be saved as."""
        found = _NAME.match(self.text)
        return found[1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of a page, and the blocks between it and the next heading."""

    page: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def place(self) -> str:
        """As a link would name it."""
        return f"{self.page}#{slug(self.title)}"


def read_sections(page: Path) -> tuple[Section, ...]:
    """All sections of a page, in order."""
    text = page.read_text(encoding="utf-8")
    # Comments of shells and of Python look like headings.
    bare = _BLOCK.sub(lambda block: " " * len(block[0]), text)
    starts = [*_SECTION.finditer(bare)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return tuple(
        Section(
            page=page.name,
            title=start[2],
            blocks=tuple(
                Block(language=block[1], text=block[2])
                for block in _BLOCK.finditer(text, start.end(), end)
            ),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def read_links(page: Path) -> tuple[str, ...]:
    """The links of a page that lead somewhere within the repository."""
    bare = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return tuple(link for link in _LINK.findall(bare) if "://" not in link)


def slug(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
