"""How much is there of files on their way."""

from __future__ import annotations

from runner.run.transfers.under_way import UnderWay


def test_files_count_while_they_are_on_their_way() -> None:
    under_way = UnderWay()
    first = under_way.begin(is_up=True, size=100)
    second = under_way.begin(is_up=True, size=50)
    down = under_way.begin(is_up=False, size=7)
    first.add(30)
    first.add(30)
    second.done = 50
    assert under_way.sum(is_up=True) == (110, 150)
    assert under_way.sum(is_up=False) == (0, 7)
    first.end()
    first.end()
    down.end()
    assert under_way.sum(is_up=True) == (50, 50)
    assert under_way.sum(is_up=False) == (0, 0)


def test_what_is_sent_again_counts_no_more_than_the_file_has() -> None:
    under_way = UnderWay()
    under_way.begin(is_up=True, size=100).add(160)
    assert under_way.sum(is_up=True) == (100, 100)
