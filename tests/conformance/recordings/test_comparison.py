"""The comparison itself: what counts as a difference, and that an excuse has to be needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.recordings.comparison import Answer, Counterparts, Difference, Kind, compare
from tests.conformance.recordings.exceptions import Rule, Why, judge
from tests.conformance.recordings.reading import Exchange
from tests.conformance.recordings.report import report

RECORDED = {
    "id": "p",
    "url": "https://acct.eastus.batch.azure.com/pools/p",
    "eTag": "0x8DABB9770225181",
    "creationTime": "2022-10-31T23:27:11.8282897Z",
    "state": "active",
    "list": [{"name": "a", "value": 1}, {"name": "b", "value": 2}],
}
OURS = {
    **RECORDED,
    "eTag": "0x8DE59F3614E3954",
    "creationTime": "2026-01-01T00:00:00.5Z",
}
HEADERS = {"request-id": "0b1f0f3e-0000-4000-8000-000000000000", "server": "x"}
EXCHANGE = Exchange(
    source="source.yaml",
    number=7,
    method="GET",
    endpoint="https://acct.eastus.batch.azure.com",
    path="/pools/p",
    query="api-version=2022-10-01.16.0",
    request_headers={},
    request_body=b"",
    status=200,
    headers=HEADERS,
    body=RECORDED,
)


def found(
    ours: Any = OURS,
    *,
    exchange: Exchange = EXCHANGE,
    status: int = 200,
    headers: dict[str, str] | None = None,
    counterparts: Counterparts | None = None,
) -> list[tuple[Kind, str]]:
    """Kinds and places of the differences."""
    answer = Answer(status=status, headers=headers or HEADERS, body=ours)
    differences = compare(exchange, answer, counterparts or Counterparts())
    return [(difference.kind, difference.where) for difference in differences]


def test_times_and_tags_may_be_others_of_their_form() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"state": "Active"}, (Kind.VALUE, "$.state")),
        ({"eTag": '"0x8DE59F3614E3954"'}, (Kind.VALUE, "$.eTag")),
        ({"creationTime": "2026-01-01T00:00:00.50Z"}, (Kind.VALUE, "$.creationTime")),
        ({"creationTime": "2026-01-01T00:00:00+00:00"}, (Kind.VALUE, "$.creationTime")),
        (
            {"url": "https://acct.westus.batch.azure.com/pools/p"},
            (Kind.VALUE, "$.url"),
        ),
        ({"more": 1}, (Kind.EXTRA, "$.more")),
        ({"list": [{"name": "a", "value": 1}]}, (Kind.COUNT, "$.list")),
        (
            {"list": [{"name": "a", "value": "1"}, {"name": "b", "value": 2}]},
            (Kind.VALUE, "$.list[0].value"),
        ),
        (
            {"list": [{"name": "a", "value": True}, {"name": "b", "value": 2}]},
            (Kind.VALUE, "$.list[0].value"),
        ),
    ],
)
def test_each_way_to_differ(changed: dict[str, Any], difference: tuple[Kind, str]) -> None:
    assert found({**OURS, **changed}) == [difference]


def test_a_property_that_is_missing() -> None:
    ours = {name: value for name, value in OURS.items() if name != "state"}
    assert found(ours) == [(Kind.MISSING, "$.state")]


def test_another_order_of_properties() -> None:
    assert found(dict(reversed(OURS.items()))) == [(Kind.ORDER, "$")]


def test_another_status_hides_the_rest() -> None:
    assert found({}, status=404) == [(Kind.STATUS, "status")]


def test_names_of_headers() -> None:
    headers = {"request-id": HEADERS["request-id"], "etag": "0x8DE59F3614E3954"}
    assert found(headers=headers) == [
        (Kind.MISSING, "header server"),
        (Kind.EXTRA, "header etag"),
    ]


def test_the_form_of_a_request_id() -> None:
    headers = {**HEADERS, "request-id": HEADERS["request-id"].upper()}
    assert found(headers=headers) == [(Kind.VALUE, "header request-id")]


def test_an_empty_body_is_no_body() -> None:
    assert found(None) == [(Kind.VALUE, "$")]
    assert found({}, exchange=replace(EXCHANGE, body=None)) == [(Kind.VALUE, "$")]


def test_tags_stand_for_each_other_one_for_one() -> None:
    counterparts = Counterparts()
    assert counterparts.match("r1", "o1")
    assert counterparts.match("r1", "o1")
    assert not counterparts.match("r1", "o2")
    assert not counterparts.match("r2", "o1")
    assert Counterparts(shared=frozenset({"r1"})).match("r1", "o2")


def test_the_lines_below_a_message() -> None:
    def message(text: str) -> dict[str, Any]:
        return {"message": {"lang": "en-US", "value": text}}

    tail = "\nRequestId:0b1f0f3e-0000-4000-8000-000000000000\nTime:2022-10-28T18:00:10.0176707Z"
    exchange = replace(EXCHANGE, body=message(f"It is not.{tail}"))
    later = f"It is not.{tail}".replace("0176707", "0000000")
    assert found(message(later), exchange=exchange) == []
    assert found(message(f"It was not.{tail}"), exchange=exchange) == [
        (Kind.VALUE, "$.message.value")
    ]
    assert found(message("It is not."), exchange=exchange) == [(Kind.VALUE, "$.message.value")]


def test_files_are_compared_by_name() -> None:
    one = {"name": "a", "isDirectory": True}
    other = {"name": "b", "isDirectory": True}
    exchange = replace(EXCHANGE, body={"value": [one, other]})
    assert found({"value": [other, one]}, exchange=exchange) == []
    assert found({"value": [one]}, exchange=exchange) == [(Kind.MISSING, "$.value.<b>")]


RULE = Rule(why=Why.LOGS, source="source.yaml", kind=Kind.VALUE, where=r"\$\.state")
DIFFERENCE = Difference(
    source="dir/source.yaml", number=7, kind=Kind.VALUE, where="$.state", recorded="a", ours="b"
)


def test_an_excuse_covers_what_it_names_and_nothing_else() -> None:
    others = (
        replace(DIFFERENCE, where="$.state.x"),
        replace(DIFFERENCE, kind=Kind.EXTRA),
        replace(DIFFERENCE, source="dir/other.yaml"),
    )
    verdict = judge((DIFFERENCE, *others), (RULE,))
    assert verdict.excused == ((DIFFERENCE, Why.LOGS),)
    assert verdict.open == others
    assert verdict.idle == ()


@pytest.mark.parametrize("limit", [{"numbers": frozenset({8})}, {"recorded": "c"}])
def test_an_excuse_can_be_narrower(limit: dict[str, Any]) -> None:
    assert judge((DIFFERENCE,), (replace(RULE, **limit),)).open == (DIFFERENCE,)


def test_an_excuse_that_is_not_needed_is_told() -> None:
    assert judge((), (RULE,)).idle == (RULE,)


def test_the_report() -> None:
    other = replace(DIFFERENCE, number=8, where="$.other")
    verdict = judge((DIFFERENCE, other), (RULE, replace(RULE, where="nothing")))
    lines = report(10, verdict, {("s", 1): "why"}).splitlines()
    assert lines[0] == (
        "10 compared: 8 equal in all, 1 with excused differences, 1 different; 1 not sent"
    )
    assert f"    1 {Why.LOGS.value}" in lines
    assert lines[-3:] == [
        "  not sent: s 1: why",
        "dir/source.yaml 8: $.other value: recorded 'a', ours 'b'",
        f"excuses nothing: {replace(RULE, where='nothing')}",
    ]
