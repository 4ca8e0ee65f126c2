"""What mkdocs is told beside `mkdocs.yml`, so that pages read as they do in the repository.

It must not know what any page says.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

_CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)


class AsInTheRepository(Extension):
    """Lists within lists are two characters in, as everybody writes them."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        """Python-Markdown wants four otherwise."""
        md.tab_length = 2


def slug(title: str, separator: str) -> str:
    """The anchor of a heading, by the rule that links to it from elsewhere go by."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", separator)


def on_config(config: Any) -> Any:
    """Adds what can only be said in Python."""
    config.markdown_extensions.append(AsInTheRepository())
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config


def on_page_content(html: str, **_: Any) -> str:
    """In a table a bar within code has a backslash before it, which is to be seen by nobody."""
    return _CELL.sub(lambda cell: cell[0].replace("\\|", "|"), html)
