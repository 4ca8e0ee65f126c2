"""Pages of sorted names, held against a listing that looks at every name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.emulator.blob.core.listing import Page, list_page

letters = st.text(alphabet="ab/\U0010ffff", max_size=5)


def list_plainly(names: list[str], prefix: str, delimiter: str) -> list[str]:
    """Every name and common prefix, marked by kind, in order."""
    found: dict[str, str] = {}
    for name in names:
        if not name.startswith(prefix):
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            found.setdefault(f"name {name}", name)
        else:
            common = name[: cut + len(delimiter)]
            found.setdefault(f"prefix {common}", common)
    return sorted(found, key=lambda entry: (found[entry], entry))


@given(
    st.sets(letters.filter(bool), max_size=30),
    letters,
    st.sampled_from(["", "/", "a/", "\U0010ffff"]),
    st.integers(min_value=1, max_value=4),
)
def test_pages_together_hold_what_is_there(
    names: set[str], prefix: str, delimiter: str, maximum: int
) -> None:
    ordered = sorted(names)
    entries: list[str] = []
    start = ""
    while True:
        page = list_page(ordered, prefix=prefix, delimiter=delimiter, start=start, maximum=maximum)
        assert len(page.names) + len(page.prefixes) <= maximum
        kinds = [(n, f"name {n}") for n in page.names]
        kinds += [(p, f"prefix {p}") for p in page.prefixes]
        entries += [entry for _, entry in sorted(kinds)]
        if page.next_name is None:
            break
        start = page.next_name

    assert entries == list_plainly(ordered, prefix, delimiter)


def test_a_marker_beyond_the_prefix_gives_nothing() -> None:
    page = list_page(["a", "b", "c"], prefix="a", delimiter="", start="c", maximum=9)

    assert page == Page(names=(), prefixes=(), next_name=None)
