"""The requests that both services are sent, in small stories of a container each.

In all texts `{c}` is the container, and `{name}` what an earlier answer of the story gave. They
know nothing of how the answers are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request; `keep` says which headers of the answer later steps use, by which name."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    auth: str = "key"
    """`key`, `none`, `sas:<resource>:<fields as a query>` or `account:<fields as a query>`."""
    keep: Mapping[str, str] = field(default_factory=dict)


LEASE, OTHER = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
PAST, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
BLOCK = {"x-ms-blob-type": "BlockBlob"}
APPEND = {"x-ms-blob-type": "AppendBlob"}
MD5_OF_HELLO = "XUFAKrxLKna5cZ2REBfFkg=="
MD5_OF_NOTHING = "1B2M2Y8AsgTpgAmY7PhCfg=="


def put(name: str = "b", body: str = "hello", **headers: str) -> Step:
    return Step(method="PUT", path=f"{{c}}/{name}", headers=BLOCK | named(headers), body=body)


def ask(method: str, path: str = "{c}/b", query: str = "", body: str = "", **headers: str) -> Step:
    return Step(method=method, path=path, query=query, headers=named(headers), body=body)


def signed(method: str, path: str, query: str, auth: str, body: str = "", **headers: str) -> Step:
    more = BLOCK if method == "PUT" and not query else {}
    return Step(
        method=method, path=path, query=query, headers=more | named(headers), body=body, auth=auth
    )


def keep(step: Step, **names: str) -> Step:
    kept = {header.replace("_", "-"): name for header, name in names.items()}
    return Step(
        method=step.method,
        path=step.path,
        query=step.query,
        headers=step.headers,
        body=step.body,
        auth=step.auth,
        keep=kept,
    )


def named(headers: Mapping[str, str]) -> dict[str, str]:
    """`ms_lease_id` is `x-ms-lease-id`, `if_match` is `if-match`."""
    return {
        ("x-" if name.startswith("ms_") else "") + name.replace("_", "-"): value
        for name, value in headers.items()
    }


def lease(action: str, path: str = "{c}/b", query: str = "comp=lease", **headers: str) -> Step:
    return ask("PUT", path, query, ms_lease_action=action, **headers)


def block_list(*ids: str, kind: str = "Latest") -> str:
    inner = "".join(f"<{kind}>{block_id}</{kind}>" for block_id in ids)
    return f'<?xml version="1.0" encoding="utf-8"?><BlockList>{inner}</BlockList>'


def tag_set(**tags: str) -> str:
    inner = "".join(f"<Tag><Key>{k}</Key><Value>{v}</Value></Tag>" for k, v in tags.items())
    return f'<?xml version="1.0" encoding="utf-8"?><Tags><TagSet>{inner}</TagSet></Tags>'


POLICIES = (
    '<?xml version="1.0" encoding="utf-8"?><SignedIdentifiers><SignedIdentifier><Id>reader</Id>'
    "<AccessPolicy><Start>2020-01-01T00:00:00Z</Start><Expiry>2100-01-01T00:00:00Z</Expiry>"
    "<Permission>r</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>"
)
SETTINGS = (
    '<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging>'
    "<Version>1.0</Version><Delete>true</Delete><Read>true</Read><Write>true</Write><RetentionPolicy><Enabled>true"
    "</Enabled><Days>5</Days></RetentionPolicy></Logging><Cors><CorsRule><AllowedOrigins>*"
    "</AllowedOrigins><AllowedMethods>GET</AllowedMethods><AllowedHeaders>*</AllowedHeaders>"
    "<ExposedHeaders>*</ExposedHeaders><MaxAgeInSeconds>5</MaxAgeInSeconds></CorsRule></Cors>"
    "</StorageServiceProperties>"
)
NO_SETTINGS = (
    '<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging>'
    "<Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>"
    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging><Cors />"
    "</StorageServiceProperties>"
)
LIST = "restype=container&comp=list"
C = "restype=container"
READ_B = "sas:{c}/b:sr=b&sp=r"
FULL_C = "sas:{c}:sr=c&sp=rwdlacx"
URL = "{endpoint}/{c}/b"

STORIES: Mapping[str, tuple[Step, ...]] = {
    "blob": (
        put(ms_meta_a="1", ms_blob_content_type="text/plain", ms_blob_cache_control="no-cache"),
        ask("GET"),
        ask("HEAD"),
        ask("GET", query="comp=metadata"),
        ask("PUT", query="comp=metadata", ms_meta_b="2"),
        ask("HEAD"),
        ask(
            "PUT",
            query="comp=properties",
            ms_blob_content_type="a/b",
            ms_blob_content_md5=MD5_OF_HELLO,
        ),
        ask("HEAD"),
        ask("GET", "{c}/none"),
        ask("HEAD", "{c}/none"),
        ask("GET", "none-at-all/b"),
        ask("DELETE", "{c}/none"),
        ask("DELETE"),
        ask("GET"),
        put(body="", name="empty"),
        ask("GET", "{c}/empty"),
        put(name="dir/a b+c%25.txt".replace(" ", "%20"), body="x"),
        ask("GET", "{c}/dir/a%20b+c%25.txt"),
    ),
    "put-refused": (
        put(content_md5=MD5_OF_NOTHING),
        put(content_md5="short"),
        put(ms_blob_content_md5=MD5_OF_NOTHING),
        put(ms_blob_type="Stone"),
        put(ms_access_tier="Warm"),
        put(ms_meta_a_b="1"),
        put(ms_version="2020-01-01"),
        put(ms_version="new"),
        ask("PUT", body="hello"),
        Step(method="PUT", path="{c}/b", headers=APPEND, body="hello"),
        ask("PATCH"),
        ask("GET", query="comp=nothing"),
        ask("PUT", "Upper", C),
        ask("PUT", "a--b", C),
        ask("PUT", "ab", C),
        ask("PUT", "{c}", C),
    ),
    "ranges": (
        put(body="0123456789"),
        ask("GET", range="bytes=2-4"),
        ask("GET", ms_range="bytes=2-4", range="bytes=7-8"),
        ask("GET", range="bytes=5-"),
        ask("GET", range="bytes=5-100"),
        ask("GET", range="bytes=10-"),
        ask("GET", range="bytes=2-4", ms_range_get_content_md5="true"),
        ask("GET", ms_range_get_content_md5="true"),
        put("empty", ""),
        ask("GET", "{c}/empty", range="bytes=0-"),
    ),
    "conditions": (
        keep(put(), etag="e"),
        ask("GET", if_match="{e}"),
        ask("GET", if_match='"0x1"'),
        ask("GET", if_none_match="{e}"),
        ask("HEAD", if_none_match="{e}"),
        ask("GET", if_none_match='"0x1"'),
        ask("GET", if_none_match="*"),
        ask("GET", if_modified_since=FUTURE),
        ask("GET", if_modified_since=PAST),
        ask("GET", if_unmodified_since=PAST),
        ask("GET", if_unmodified_since=FUTURE),
        ask("GET", if_match="{e}", if_unmodified_since=PAST),
        ask("HEAD", if_match='"0x1"'),
        ask("GET", query="comp=metadata", if_match='"0x1"'),
        put(if_none_match="*"),
        put(if_match='"0x1"'),
        put(if_match="{e}", if_none_match="{e}"),
        put(if_unmodified_since=PAST),
        put(if_modified_since=FUTURE),
        put("new", if_match="*"),
        put("new", if_none_match="*"),
        ask("PUT", query="comp=metadata", if_match='"0x1"'),
        ask("PUT", query="comp=properties", if_match='"0x1"'),
        ask("DELETE", if_match='"0x1"'),
        ask("DELETE", if_unmodified_since=PAST),
        ask("DELETE", if_match="*"),
        ask("GET", if_match="*"),
    ),
    "conditions-of-containers": (
        ask("PUT", "{c}", C + "&comp=metadata", ms_meta_a="1"),
        ask("PUT", "{c}", C + "&comp=metadata", if_modified_since=FUTURE),
        ask("GET", "{c}", C),
        ask("GET", "{c}", C + "&comp=metadata"),
        ask("DELETE", "{c}", C, if_unmodified_since=PAST),
        ask("DELETE", "{c}", C, if_modified_since=FUTURE),
        ask("GET", "none-at-all", C),
        ask("HEAD", "none-at-all", C),
        ask("DELETE", "none-at-all", C),
        ask("DELETE", "{c}", C),
    ),
    "blocks": (
        ask("PUT", query="comp=block&blockid=QQ%3D%3D", body="aaa"),
        ask("PUT", query="comp=block&blockid=Qg%3D%3D", body="bbb"),
        ask("GET", query="comp=blocklist"),
        ask("GET", query="comp=blocklist&blocklisttype=all"),
        ask("GET"),
        ask("PUT", query="comp=blocklist", body=block_list("QQ==", "Qg=="), ms_meta_a="1"),
        ask("GET"),
        ask("GET", query="comp=blocklist&blocklisttype=all"),
        ask("PUT", query="comp=block&blockid=Qw%3D%3D", body="ccc"),
        ask("GET", query="comp=blocklist&blocklisttype=uncommitted"),
        ask("PUT", query="comp=blocklist", body=block_list("QQ==", "Qw==")),
        ask("GET"),
        ask("PUT", query="comp=blocklist", body=block_list("Rg==")),
        ask("PUT", query="comp=blocklist", body=block_list("QQ==", kind="Uncommitted")),
        ask("PUT", query="comp=blocklist", body="no xml"),
        ask("PUT", query="comp=block&blockid=QQ%3D%3D", body=""),
        ask("PUT", query="comp=block", body="x"),
        ask("PUT", query="comp=block&blockid=!", body="x"),
        ask("PUT", query="comp=block&blockid=QQ%3D%3D", body="x", content_md5=MD5_OF_NOTHING),
        ask("GET", "{c}/none", "comp=blocklist"),
    ),
    "appends": (
        Step(method="PUT", path="{c}/b", headers=APPEND),
        ask("PUT", query="comp=appendblock", body="one"),
        ask("PUT", query="comp=appendblock", body="two", ms_blob_condition_appendpos="3"),
        ask("PUT", query="comp=appendblock", body="x", ms_blob_condition_appendpos="3"),
        ask("PUT", query="comp=appendblock", body="x", ms_blob_condition_maxsize="6"),
        ask("PUT", query="comp=appendblock", body="x", ms_blob_condition_maxsize="7"),
        ask("PUT", query="comp=appendblock", body=""),
        ask("PUT", query="comp=appendblock", body="x", content_md5=MD5_OF_NOTHING),
        ask("PUT", query="comp=appendblock", body="x", if_match='"0x1"'),
        ask("GET"),
        ask("HEAD"),
        ask("PUT", query="comp=block&blockid=QQ%3D%3D", body="x"),
        ask("GET", query="comp=blocklist"),
        ask("PUT", query="comp=tier", ms_access_tier="Cool"),
        ask("PUT", "{c}/none", "comp=appendblock", body="x"),
        ask("GET", "{c}", LIST),
        put("block"),
        ask("PUT", "{c}/block", "comp=appendblock", body="x"),
        ask("PUT", query="comp=seal"),
        ask("PUT", query="comp=appendblock", body="x"),
        ask("HEAD"),
    ),
    "leases": (
        put(),
        lease("acquire", ms_lease_duration="15", ms_proposed_lease_id=LEASE),
        ask("HEAD"),
        lease("acquire", ms_lease_duration="-1", ms_proposed_lease_id=OTHER),
        lease("acquire", ms_lease_duration="-1", ms_proposed_lease_id=LEASE),
        ask("HEAD"),
        ask("GET", "{c}", LIST),
        lease("renew", ms_lease_id=LEASE),
        lease("renew", ms_lease_id=OTHER),
        lease("change", ms_lease_id=LEASE, ms_proposed_lease_id=OTHER),
        lease("change", ms_lease_id=LEASE, ms_proposed_lease_id=OTHER),
        lease("change", ms_lease_id=LEASE, ms_proposed_lease_id=LEASE),
        put(),
        put(ms_lease_id=LEASE),
        put(ms_lease_id=OTHER),
        ask("GET"),
        ask("GET", ms_lease_id=LEASE),
        ask("GET", ms_lease_id=OTHER),
        ask("PUT", query="comp=metadata", ms_meta_a="1"),
        ask("PUT", query="comp=properties"),
        ask("PUT", query="comp=block&blockid=QQ%3D%3D", body="x"),
        ask("DELETE"),
        ask("DELETE", ms_lease_id=LEASE),
        lease("release", ms_lease_id=LEASE),
        lease("break", ms_lease_break_period="20"),
        ask("HEAD"),
        lease("renew", ms_lease_id=OTHER),
        lease("change", ms_lease_id=OTHER, ms_proposed_lease_id=LEASE),
        lease("acquire", ms_lease_duration="15", ms_proposed_lease_id=OTHER),
        lease("acquire", ms_lease_duration="15", ms_proposed_lease_id=LEASE),
        lease("break", ms_lease_break_period="0"),
        ask("HEAD"),
        lease("renew", ms_lease_id=OTHER),
        lease("change", ms_lease_id=OTHER, ms_proposed_lease_id=LEASE),
        ask("GET", ms_lease_id=OTHER),
        put(ms_lease_id=OTHER),
        put(),
        ask("HEAD"),
        lease("release", ms_lease_id=OTHER),
        lease("break"),
        lease("renew", ms_lease_id=OTHER),
        lease("change", ms_lease_id=OTHER, ms_proposed_lease_id=LEASE),
        put(ms_lease_id=OTHER),
        lease("acquire", ms_lease_duration="-1", ms_proposed_lease_id=OTHER),
        lease("break"),
        lease("release", ms_lease_id=OTHER),
        ask("HEAD"),
    ),
    "leases-refused": (
        put(),
        lease("acquire", ms_lease_duration="14"),
        lease("acquire", ms_lease_duration="61"),
        lease("acquire", ms_lease_duration="x"),
        lease("acquire"),
        lease("acquire", ms_lease_duration="15", ms_proposed_lease_id="x"),
        lease("renew"),
        lease("steal"),
        lease("release"),
        lease("change", ms_lease_id=LEASE),
        ask("PUT", query="comp=lease"),
        lease("acquire", "{c}/none", ms_lease_duration="15"),
        lease("acquire", ms_lease_duration="15", if_match='"0x1"'),
    ),
    "leases-of-containers": (
        lease(
            "acquire", "{c}", C + "&comp=lease", ms_lease_duration="15", ms_proposed_lease_id=LEASE
        ),
        ask("HEAD", "{c}", C),
        ask("GET", "{c}", C, ms_lease_id=OTHER),
        ask("PUT", "{c}", C + "&comp=metadata", ms_meta_a="1"),
        ask("PUT", "{c}", C + "&comp=metadata", ms_lease_id=OTHER),
        put(),
        ask("DELETE", "{c}", C),
        ask("DELETE", "{c}", C, ms_lease_id=OTHER),
        lease("renew", "{c}", C + "&comp=lease", ms_lease_id=LEASE),
        lease("change", "{c}", C + "&comp=lease", ms_lease_id=LEASE, ms_proposed_lease_id=OTHER),
        lease("break", "{c}", C + "&comp=lease", ms_lease_break_period="0"),
        ask("HEAD", "{c}", C),
        lease("release", "{c}", C + "&comp=lease", ms_lease_id=OTHER),
        ask("DELETE", "{c}", C, ms_lease_id=OTHER),
        lease("break", "{c}", C + "&comp=lease"),
        ask("DELETE", "{c}", C),
    ),
    "snapshots": (
        put(ms_meta_a="1"),
        keep(ask("PUT", query="comp=snapshot"), x_ms_snapshot="s"),
        ask("PUT", query="comp=snapshot", ms_meta_b="2"),
        put(body="changed"),
        ask("GET", query="snapshot={s}"),
        ask("HEAD", query="snapshot={s}"),
        ask("GET", query="comp=metadata&snapshot={s}"),
        ask("GET", "{c}", LIST),
        ask("GET", "{c}", LIST + "&include=snapshots,metadata"),
        ask("GET", query="snapshot=2020-01-01T00:00:00.0000000Z"),
        ask("DELETE"),
        ask("DELETE", query="snapshot={s}", ms_delete_snapshots="only"),
        ask("DELETE", query="snapshot={s}"),
        ask("DELETE", query="snapshot={s}"),
        ask("DELETE", ms_delete_snapshots="only"),
        ask("GET"),
        ask("PUT", query="comp=snapshot"),
        ask("DELETE", ms_delete_snapshots="sometimes"),
        ask("DELETE", ms_delete_snapshots="include"),
        ask("GET"),
        ask("PUT", "{c}/none", "comp=snapshot"),
    ),
    "tags": (
        put(ms_tags="a=1&b=x%20y"),
        ask("HEAD"),
        ask("GET", query="comp=tags"),
        ask("PUT", query="comp=tags", body=tag_set(c="3")),
        ask("GET", query="comp=tags"),
        ask("GET", "{c}", LIST + "&include=tags"),
        ask("GET", ms_if_tags="\"c\" = '3'"),
        ask("GET", ms_if_tags="\"c\" = '4'"),
        put(ms_if_tags="\"c\" = '4'"),
        ask("GET", "{c}", C + "&comp=blobs&where=%22c%22%20%3D%20%273%27"),
        ask("GET", "{c}", C + "&comp=blobs&where=%22c%22%20%3D%20%274%27"),
        ask(
            "GET",
            "{c}",
            C + "&comp=blobs&where=%22c%22%20%3E%3D%20%272%27%20AND%20%22c%22%20%3C%20%274%27",
        ),
        ask("GET", "{c}", C + "&comp=blobs&where=nonsense"),
        ask(
            "GET",
            "",
            "comp=blobs&where=%40container%20%3D%20%27{c}%27%20AND%20%22c%22%20%3D%20%273%27",
        ),
        put(ms_tags="a%21=1"),
        put(ms_tags="=1"),
        put(ms_tags="&".join(f"k{n}=1" for n in range(11))),
        ask("PUT", query="comp=tags", body="no xml"),
        ask("PUT", query="comp=tags", body=tag_set()),
        ask("GET", query="comp=tags"),
        ask("GET", "{c}/none", "comp=tags"),
    ),
    "tiers": (
        put(ms_access_tier="Cool"),
        ask("HEAD"),
        ask("GET", "{c}", LIST),
        ask("PUT", query="comp=tier", ms_access_tier="Hot"),
        ask("PUT", query="comp=tier", ms_access_tier="Warm"),
        ask("PUT", query="comp=tier"),
        ask("PUT", query="comp=tier", ms_access_tier="Archive"),
        ask("HEAD"),
        ask("GET"),
        ask("PUT", query="comp=metadata", ms_meta_a="1"),
        ask("PUT", query="comp=tier", ms_access_tier="Cold"),
        ask("PUT", "{c}/none", "comp=tier", ms_access_tier="Cold"),
    ),
    "copies": (
        put(ms_meta_a="1", ms_blob_content_type="text/plain"),
        ask("PUT", "{c}/copy", ms_copy_source=URL),
        ask("HEAD", "{c}/copy"),
        ask("GET", "{c}/copy"),
        ask("PUT", "{c}/copy", ms_copy_source=URL, ms_meta_b="2", ms_access_tier="Cool"),
        ask("HEAD", "{c}/copy"),
        ask("GET", "{c}", LIST + "&include=copy"),
        ask("PUT", "{c}/copy", ms_copy_source=URL, ms_source_if_match='"0x1"'),
        ask("PUT", "{c}/copy", ms_copy_source=URL, if_none_match="*"),
        ask("PUT", "{c}/copy", ms_copy_source="{endpoint}/{c}/none"),
        ask("PUT", "{c}/copy", ms_copy_source="{endpoint}/none-at-all/b"),
        ask("PUT", "{c}/copy", ms_copy_source="nonsense"),
        ask("PUT", "{c}/sync", ms_copy_source=URL + "?{read}", ms_requires_sync="true"),
        ask("HEAD", "{c}/sync"),
        ask("PUT", "{c}/sync", ms_copy_source=URL, ms_requires_sync="true"),
        ask("PUT", "{c}/copy", f"comp=copy&copyid={LEASE}", ms_copy_action="abort"),
        ask("PUT", "{c}/none", f"comp=copy&copyid={LEASE}", ms_copy_action="abort"),
        ask("PUT", "{c}/from", ms_copy_source=URL + "?{read}", ms_blob_type="BlockBlob"),
        ask("HEAD", "{c}/from"),
        ask(
            "PUT",
            "{c}/blocks",
            "comp=block&blockid=QQ%3D%3D",
            ms_copy_source=URL + "?{read}",
            ms_source_range="bytes=1-3",
        ),
        ask("PUT", "{c}/blocks", "comp=blocklist", body=block_list("QQ==")),
        ask("GET", "{c}/blocks"),
    ),
    "lists": (
        put("a/1"),
        put("a/2"),
        put("b"),
        put("c", ms_meta_x="1"),
        ask("GET", "{c}", LIST),
        ask("GET", "{c}", LIST + "&prefix=a/"),
        ask("GET", "{c}", LIST + "&delimiter=/"),
        ask("GET", "{c}", LIST + "&delimiter=/&maxresults=2"),
        ask("GET", "{c}", LIST + "&maxresults=1"),
        ask("GET", "{c}", LIST + "&include=metadata"),
        ask("PUT", "{c}/u", "comp=block&blockid=QQ%3D%3D", body="x"),
        ask("GET", "{c}", LIST + "&include=uncommittedblobs"),
        ask("GET", "{c}", LIST + "&maxresults=0"),
        ask("GET", "{c}", LIST + "&maxresults=x"),
        ask("GET", "none-at-all", LIST),
        ask("GET", "", "comp=list&prefix={c}"),
        ask("GET", "", "comp=list&prefix={c}&include=metadata"),
    ),
    "account": (
        ask("GET", "", "restype=account&comp=properties"),
        ask("PUT", "", "restype=service&comp=properties", SETTINGS),
        ask("GET", "", "restype=service&comp=properties"),
        ask("GET", "", "restype=service&comp=stats"),
        ask("PUT", "", "restype=service&comp=properties", "no xml"),
        # The account is not of this story alone.
        ask("PUT", "", "restype=service&comp=properties", NO_SETTINGS),
        ask("GET", "", "restype=service&comp=properties"),
    ),
    "policies": (
        put(),
        ask("GET", "{c}", C + "&comp=acl"),
        ask("PUT", "{c}", C + "&comp=acl", POLICIES, ms_blob_public_access="blob"),
        ask("GET", "{c}", C + "&comp=acl"),
        ask("HEAD", "{c}", C),
        ask("GET", "", "comp=list&prefix={c}"),
        signed("GET", "{c}/b", "", "none"),
        signed("HEAD", "{c}/b", "", "none"),
        signed("PUT", "{c}/b", "", "none", "x"),
        signed("GET", "{c}", LIST, "none"),
        signed("GET", "{c}/b", "", "sas:{c}:sr=c&si=reader&se="),
        signed("PUT", "{c}/b", "", "sas:{c}:sr=c&si=reader&se=", "x"),
        signed("GET", "{c}/b", "", "sas:{c}:sr=c&si=nobody&se="),
        ask("PUT", "{c}", C + "&comp=acl", ms_blob_public_access="container"),
        signed("GET", "{c}", LIST, "none"),
        signed("GET", "{c}", C, "none"),
        ask("PUT", "{c}", C + "&comp=acl", "no xml"),
        ask("PUT", "{c}", C + "&comp=acl", ms_blob_public_access="all"),
        ask("PUT", "{c}", C + "&comp=acl"),
        signed("GET", "{c}/b", "", "none"),
    ),
    "signatures": (
        put(),
        signed("GET", "{c}/b", "", READ_B),
        signed("HEAD", "{c}/b", "", READ_B),
        signed("PUT", "{c}/b", "", READ_B, "x"),
        signed("DELETE", "{c}/b", "", READ_B),
        signed("GET", "{c}/other", "", READ_B),
        signed("GET", "{c}/b", "comp=tags", READ_B),
        signed("GET", "{c}", LIST, "sas:{c}:sr=c&sp=l"),
        signed("GET", "{c}", LIST, "sas:{c}:sr=c&sp=r"),
        signed("GET", "{c}", C, FULL_C),
        signed("DELETE", "{c}", C, FULL_C),
        signed("PUT", "{c}", C + "&comp=acl", FULL_C),
        signed("GET", "", "comp=list", FULL_C),
        signed("PUT", "{c}/new", "", "sas:{c}:sr=c&sp=c", "x"),
        signed("PUT", "{c}/new", "", "sas:{c}:sr=c&sp=c", "x"),
        signed("PUT", "{c}/new", "comp=metadata", "sas:{c}:sr=c&sp=c"),
        signed("PUT", "{c}/new", "comp=lease", "sas:{c}:sr=c&sp=d", ms_lease_action="break"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&se=2020-01-01T00:00:00Z"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&st=2099-01-01T00:00:00Z"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&spr=https"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&spr=https,http"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&sip=10.0.0.1"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&sip=127.0.0.1"),
        signed("GET", "{c}/b", "", "sas:{c}/b:sr=b&sp=r&rscd=attachment&rsct=a/b"),
        signed("GET", "{c}/b", "", "sas:{c}/other:sr=b&sp=r"),
        signed("GET", "{c}/b", "", "none"),
        signed("PUT", "{c}/b", "", "none", "x"),
        Step(method="GET", path="{c}/b", headers={"Authorization": "SharedKey x"}, auth="none"),
    ),
    "account-signatures": (
        put(),
        signed("GET", "{c}/b", "", "account:srt=o&sp=r"),
        signed("GET", "{c}/b", "", "account:srt=c&sp=r"),
        signed("GET", "{c}/b", "", "account:srt=o&sp=w"),
        signed("GET", "{c}/b", "", "account:srt=o&sp=r&ss=q"),
        signed("GET", "{c}", LIST, "account:srt=c&sp=l"),
        signed("GET", "{c}", C, "account:srt=c&sp=r"),
        signed("PUT", "{c}", C + "&comp=metadata", "account:srt=c&sp=w"),
        signed("PUT", "{c}", C + "&comp=acl", "account:srt=sco&sp=rwdlacup"),
        signed("GET", "", "comp=list&prefix={c}", "account:srt=s&sp=l"),
        signed("GET", "", "comp=list&prefix={c}", "account:srt=c&sp=l"),
        signed("PUT", "{c}/new", "", "account:srt=o&sp=c", "x"),
        signed("PUT", "{c}/new", "", "account:srt=o&sp=c", "x"),
        signed("DELETE", "{c}/b", "", "account:srt=o&sp=d"),
        signed("GET", "", "restype=service&comp=properties", "account:srt=s&sp=r"),
    ),
}
