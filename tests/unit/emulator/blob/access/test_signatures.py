"""Shared access signatures: the strings that are signed, and what they permit."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from runner.emulator.blob.access.delegation import DelegationKey, derive_secret
from tests.unit.emulator.blob.wire import ACCOUNT, START, Answer, Wire, make_signature

SERVICE_FIELDS = ("sp", "st", "se", "", "si", "sip", "spr", "sv")
OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
BLOB = {"x-ms-blob-type": "BlockBlob"}


def service_query(resource: str, **fields: str) -> str:
    """The query of a signature of one container or blob."""
    fields = {"se": "2026-03-04T06:00:00Z", "sv": "2021-12-02", **fields}
    values = [
        f"/blob/localstorage/{resource}" if not n else fields.get(n, "") for n in SERVICE_FIELDS
    ]
    if fields["sv"] >= "2018-11-09":
        values += [fields.get("sr", ""), fields.get("snapshot", "")]
    if fields["sv"] >= "2020-12-06":
        values.append(fields.get("ses", ""))
    values += [fields.get(name, "") for name in OVERRIDES]
    return urlencode({**fields, "sig": make_signature("\n".join(values))})


def account_query(**fields: str) -> str:
    """The query of a signature of the account."""
    fields = {"se": "2026-03-04T06:00:00Z", "sv": "2021-12-02", "ss": "b", **fields}
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    names += ["ses"] if fields["sv"] >= "2020-12-06" else []
    text = "".join(f"{value}\n" for value in ("localstorage", *(fields.get(n, "") for n in names)))
    return urlencode({**fields, "sig": make_signature(text)})


def ask(wire: Wire, method: str, path: str, query: str, *, scheme: str = "http") -> Answer:
    return wire.ask(
        method,
        f"/localstorage/{path}",
        query,
        headers=BLOB if method == "PUT" and "comp" not in query else {},
        signed=False,
        scheme=scheme,
    )


def outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.headers.get("x-ms-error-code")


@pytest.mark.parametrize(
    "version", ["2015-04-05", "2017-11-09", "2018-11-09", "2019-12-12", "2020-12-06", "2026-10-06"]
)
@pytest.mark.parametrize("resource", ["b", "c"])
def test_every_layout_of_the_string_to_sign(wire: Wire, version: str, resource: str) -> None:
    wire.put("a b/c", b"content")
    signed = "box/a b/c" if resource == "b" else "box"

    answer = ask(wire, "GET", "box/a%20b/c", service_query(signed, sr=resource, sp="r", sv=version))

    assert (answer.status, answer.body) == (200, b"content")
    assert ask(wire, "GET", "box/other", service_query("box", sr="c", sp="r")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "comp", "permissions", "expected"),
    [
        ("GET", "box/b", "", "r", (200, None)),
        ("GET", "box/b", "", "wcdlat", (403, "AuthorizationPermissionMismatch")),
        ("HEAD", "box/b", "", "r", (200, None)),
        ("HEAD", "box/b", "", "w", (403, "AuthorizationPermissionMismatch")),
        ("PUT", "box/new", "", "c", (201, None)),
        ("PUT", "box/new", "", "w", (201, None)),
        ("PUT", "box/new", "", "rdla", (403, "AuthorizationPermissionMismatch")),
        ("PUT", "box/b", "", "w", (201, None)),
        ("PUT", "box/b", "", "c", (403, "UnauthorizedBlobOverwrite")),
        ("PUT", "box/b", "metadata", "w", (200, None)),
        ("PUT", "box/b", "metadata", "c", (403, "AuthorizationPermissionMismatch")),
        ("DELETE", "box/b", "", "d", (202, None)),
        ("DELETE", "box/b", "", "rwcl", (403, "AuthorizationPermissionMismatch")),
        ("GET", "box", "list", "l", (200, None)),
        ("GET", "box", "list", "rwd", (403, "AuthorizationPermissionMismatch")),
        ("GET", "box", "", "rwdl", (403, "AuthorizationFailure")),
        ("DELETE", "box", "", "rwdl", (403, "AuthorizationFailure")),
        ("GET", "other/b", "", "r", (403, "AuthenticationFailed")),
    ],
)
def test_permissions_of_a_container_signature(
    wire: Wire,
    method: str,
    path: str,
    comp: str,
    permissions: str,
    expected: tuple[int, str | None],
) -> None:
    wire.put("b")
    query = service_query("box", sr="c", sp=permissions)
    query += f"&comp={comp}" if comp else ""
    query += "&restype=container" if "/" not in path else ""

    assert outcome(ask(wire, method, path, query)) == expected


def test_a_snapshot_signature_covers_that_snapshot_alone(wire: Wire) -> None:
    wire.put("b", b"old")
    taken = wire.ask("PUT", "/localstorage/box/b", "comp=snapshot").headers["x-ms-snapshot"]
    other = wire.ask("PUT", "/localstorage/box/b", "comp=snapshot").headers["x-ms-snapshot"]
    wire.put("b", b"new", delete_snapshots="include")
    query = service_query("box/b", sr="bs", sp="r", snapshot=taken)

    assert ask(wire, "GET", "box/b", query).body == b"old"
    bare = query.replace(urlencode({"snapshot": taken}) + "&", "")
    assert outcome(ask(wire, "GET", "box/b", bare)) == (403, "AuthenticationFailed")
    wrong = f"{bare}&{urlencode({'snapshot': other})}"
    assert outcome(ask(wire, "GET", "box/b", wrong)) == (403, "AuthenticationFailed")


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2018-11-09", ()),
        ("2020-02-10", ("saoid", "suoid", "scid")),
        ("2020-12-06", ("saoid", "suoid", "scid")),
        ("2025-07-05", ("saoid", "suoid", "scid", "skdutid", "sduoid")),
    ],
)
def test_every_layout_of_a_users_signature(
    wire: Wire, version: str, names: tuple[str, ...]
) -> None:
    wire.put("b", b"content")
    said = {
        "skoid": "o",
        "sktid": "t",
        "skt": "2026-03-04T05:00:00Z",
        "ske": "2026-03-04T05:30:00Z",
        "sks": "b",
        "skv": version,
    }
    key = DelegationKey(
        object_id="o",
        tenant="t",
        start=said["skt"],
        expiry=said["ske"],
        service="b",
        version=version,
        delegated_tenant="",
    )
    values = ["r", "", "2026-03-04T06:00:00Z", "/blob/localstorage/box/b", *said.values()]
    values += [""] * len(names) + ["", "", version, "b", ""]
    values += [""] if version >= "2020-12-06" else []
    text = "\n".join([*values, "", "", "", "", ""])
    signature = make_signature(text, derive_secret(ACCOUNT, key))
    fields = {"sp": "r", "se": "2026-03-04T06:00:00Z", "sv": version, "sr": "b", **said}

    query = urlencode({**fields, "sig": signature})
    answer = ask(wire, "GET", "box/b", query)

    assert (answer.status, answer.body) == (200, b"content")
    wire.now = START + timedelta(minutes=25)
    late = ask(wire, "GET", "box/b", query)
    assert outcome(late) == (403, "AuthenticationFailed")
    assert (late.text("AuthenticationErrorDetail") or "").startswith("User delegation key not")


def test_a_blob_signature_covers_that_blob_alone(wire: Wire) -> None:
    wire.put("b")
    wire.put("other")
    query = service_query("box/b", sr="b", sp="rwdl")

    assert ask(wire, "GET", "box/b", query).status == 200
    assert outcome(ask(wire, "GET", "box/other", query)) == (403, "AuthenticationFailed")
    listing = f"{query}&restype=container&comp=list"
    assert outcome(ask(wire, "GET", "box", listing)) == (403, "AuthenticationFailed")


@pytest.mark.parametrize(
    ("method", "path", "query", "types", "permissions", "expected"),
    [
        ("GET", "", "comp=list", "s", "l", (200, None)),
        ("GET", "", "comp=list", "co", "l", (403, "AuthorizationResourceTypeMismatch")),
        ("GET", "", "comp=list", "s", "r", (403, "AuthorizationPermissionMismatch")),
        ("PUT", "new", "restype=container", "c", "c", (201, None)),
        ("PUT", "new", "restype=container", "so", "c", (403, "AuthorizationResourceTypeMismatch")),
        ("DELETE", "box", "restype=container", "c", "d", (202, None)),
        ("GET", "box", "restype=container", "c", "r", (200, None)),
        ("GET", "box", "restype=container&comp=list", "c", "l", (200, None)),
        ("GET", "box/b", "", "o", "r", (200, None)),
        ("GET", "box/b", "", "sc", "r", (403, "AuthorizationResourceTypeMismatch")),
        ("PUT", "box/b", "", "o", "c", (403, "UnauthorizedBlobOverwrite")),
    ],
)
def test_an_account_signature(
    wire: Wire,
    method: str,
    path: str,
    query: str,
    types: str,
    permissions: str,
    expected: tuple[int, str | None],
) -> None:
    wire.put("b")
    signature = account_query(srt=types, sp=permissions)

    assert outcome(ask(wire, method, path, f"{query}&{signature}")) == expected


@pytest.mark.parametrize(("permissions", "status"), [("rw", 403), ("rwt", 201)])
def test_tags_need_a_permission_of_their_own(wire: Wire, permissions: str, status: int) -> None:
    query = service_query("box", sr="c", sp=permissions)

    answer = wire.ask(
        "PUT", "/localstorage/box/b", query, headers={**BLOB, "x-ms-tags": "a=1"}, signed=False
    )

    assert answer.status == status


def test_an_account_signature_of_another_service(wire: Wire) -> None:
    signature = account_query(srt="s", sp="l", ss="qt")

    answer = ask(wire, "GET", "", f"comp=list&{signature}")

    assert outcome(answer) == (403, "AuthorizationServiceMismatch")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (
            {"se": "2026-03-04T05:06:07Z"},
            (
                "Signed expiry time [Wed, 04 Mar 2026 05:06:07 GMT] must be after signed start "
                "time [Wed, 04 Mar 2026 05:06:07 GMT]"
            ),
        ),
        (
            {"st": "2026-03-04T05:07Z"},
            (
                "Signature not valid in the specified time frame: Start [Wed, 04 Mar 2026 05:07:00 "
                "GMT] - Expiry [Wed, 04 Mar 2026 06:00:00 GMT] - Current "
                "[Wed, 04 Mar 2026 05:06:07 GMT]"
            ),
        ),
        (
            {"st": "2026-03-01", "se": "2026-03-04"},
            (
                "Signature not valid in the specified time frame: Start [Sun, 01 Mar 2026 00:00:00 "
                "GMT] - Expiry [Wed, 04 Mar 2026 00:00:00 GMT] - Current "
                "[Wed, 04 Mar 2026 05:06:07 GMT]"
            ),
        ),
        ({"se": ""}, "se is mandatory and cannot be empty."),
        ({"se": "tomorrow"}, "se is not a time in UTC: 'tomorrow'"),
        ({"se": "2026-13-04T00:00:00Z"}, "se is not a time in UTC: '2026-13-04T00:00:00Z'"),
        ({"si": "policy"}, "The container has no stored access policy 'policy'."),
        ({"skoid": "x"}, "sktid is mandatory and cannot be empty."),
        ({"sv": "2017-01-01"}, "sv is '2017-01-01'; the emulator takes 2015-04-05 and later."),
        ({"sv": "2015-02-21"}, "sv is '2015-02-21'; the emulator takes 2015-04-05 and later."),
        ({"sr": "d"}, "sr is 'd', and the account has no hierarchical namespace."),
        ({"sr": "bv"}, "sr is 'bv', and the emulator keeps no versions."),
        ({"sr": "bs"}, "sr is 'bs', which does not cover the resource of the request."),
        ({"sr": "x"}, "sr is 'x', which does not cover the resource of the request."),
    ],
)
def test_signatures_that_are_not_valid(wire: Wire, fields: dict[str, str], detail: str) -> None:
    wire.put("b")
    query = service_query("box", **{"sr": "c", "sp": "r", **fields})

    answer = ask(wire, "GET", "box/b", query)

    assert outcome(answer) == (403, "AuthenticationFailed")
    assert answer.text("AuthenticationErrorDetail") == detail


@pytest.mark.parametrize(
    "fields",
    [
        {"st": "2026-03-04T05:06:07Z"},
        {"st": "2026-03-04", "se": "2026-03-05"},
        {"se": "2026-03-04T05:06:08.1234567Z"},
        {"sip": "127.0.0.1"},
        {"sip": "127.0.0.0-127.0.0.9"},
        {"spr": "https,http"},
    ],
)
def test_signatures_that_are_valid_now_and_here(wire: Wire, fields: dict[str, str]) -> None:
    wire.put("b")

    query = service_query("box", **{"sr": "c", "sp": "r", **fields})

    assert ask(wire, "GET", "box/b", query).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sip": "10.0.0.1"}, "AuthorizationSourceIPMismatch"),
        ({"sip": "10.0.0.1-10.0.0.9"}, "AuthorizationSourceIPMismatch"),
        ({"sip": "nowhere"}, "AuthorizationSourceIPMismatch"),
        ({"spr": "https"}, "AuthorizationProtocolMismatch"),
    ],
)
def test_signatures_that_are_valid_elsewhere(wire: Wire, fields: dict[str, str], code: str) -> None:
    wire.put("b")
    query = service_query("box", **{"sr": "c", "sp": "r", **fields})

    assert outcome(ask(wire, "GET", "box/b", query)) == (403, code)


def test_a_changed_field_breaks_the_signature(wire: Wire) -> None:
    wire.put("b")
    query = service_query("box", sr="c", sp="r").replace("sp=r", "sp=rw")

    answer = ask(wire, "GET", "box/b", query)

    assert outcome(answer) == (403, "AuthenticationFailed")
    assert answer.text("AuthenticationErrorDetail") == (
        "Signature did not match. String to sign used was rw\n\n2026-03-04T06:00:00Z\n"
        "/blob/localstorage/box\n\n\n\n2021-12-02\nc\n\n\n\n\n\n\n"
    )


def test_a_signature_may_replace_response_headers(wire: Wire) -> None:
    wire.put("b", blob_content_type="text/plain")
    query = service_query("box/b", sr="b", sp="r", rscd="attachment; filename=x", rsct="image/png")

    answer = ask(wire, "GET", "box/b", query)

    assert answer.headers["content-disposition"] == "attachment; filename=x"
    assert answer.headers["content-type"] == "image/png"


def test_a_signature_that_is_known_is_looked_at_anew(wire: Wire) -> None:
    wire.put("a")
    wire.put("b")
    of_box = service_query("box", sr="c", sp="r", st="2026-03-04T05:00:00Z")
    of_blob = service_query("box/a", sr="b", sp="r")
    http_only = service_query("box", sr="c", sp="r", spr="https")

    def status(name: str, query: str, scheme: str = "http") -> int:
        path = f"/localstorage/box/{name}"
        return wire.ask("GET", path, query, signed=False, scheme=scheme).status

    assert [status(name, of_box) for name in "aba"] == [200, 200, 200]
    assert wire.ask("DELETE", "/localstorage/box/a", of_box, signed=False).status == 403
    assert [status(name, of_blob) for name in "aba"] == [200, 403, 200]
    assert [status("a", http_only, scheme) for scheme in ("https", "http")] == [200, 403]
    changed = of_box.replace("sp=r", "sp=rw")
    assert [status("a", changed), status("a", of_box)] == [403, 200]
    wire.ask("PUT", "/localstorage/other", "restype=container")
    other = wire.ask("GET", "/localstorage/other/a", of_box, signed=False)
    assert (other.status, other.code) == (403, "AuthenticationFailed")
    wire.now = START - timedelta(hours=1)
    assert status("a", of_box) == 403
    wire.now = START + timedelta(hours=1)
    assert [status("a", query) for query in (of_box, of_blob)] == [403, 403]


def test_the_policy_of_a_known_signature_is_looked_at_anew(wire: Wire) -> None:
    wire.put("a")
    query = service_query("box", sr="c", si="reading", se="")

    def give(permissions: str) -> None:
        body = (
            "<SignedIdentifiers><SignedIdentifier><Id>reading</Id><AccessPolicy>"
            f"<Expiry>2026-03-05T00:00:00Z</Expiry><Permission>{permissions}</Permission>"
            "</AccessPolicy></SignedIdentifier></SignedIdentifiers>"
        )
        box = "/localstorage/box"
        answer = wire.ask("PUT", box, "restype=container&comp=acl", body=body.encode())
        assert answer.status == 200

    def status() -> int:
        return wire.ask("GET", "/localstorage/box/a", query, signed=False).status

    give("r")
    found = [status(), status()]
    give("w")
    found.append(status())
    give("r")
    found.append(status())
    wire.ask("PUT", "/localstorage/box", "restype=container&comp=acl")
    found.append(status())
    assert found == [200, 200, 403, 200, 403]
