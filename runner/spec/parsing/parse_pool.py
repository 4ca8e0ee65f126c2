"""From the data of `pool` to its typed model; the schema has passed it.

It knows nothing of the other parts of a workload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.spec.document import Pointer
from runner.spec.duration import parse_duration
from runner.spec.model.pool import (
    Autoscale,
    BlobMount,
    CifsMount,
    CustomImage,
    ExistingPool,
    Fallback,
    FileShareMount,
    FixedNodes,
    Image,
    Mount,
    Network,
    NewPool,
    NfsMount,
    NodeFill,
    OperatingSystem,
    Pool,
    PublicAddresses,
    Registry,
    User,
)
from runner.spec.model.step import Step
from runner.spec.model.terms import Elevation, SecretName
from runner.spec.parsing.autoscale import scenario_formula
from runner.spec.parsing.image_aliases import find_image, is_windows, told_by
from runner.spec.parsing.leaves import Leaves
from runner.spec.parsing.parse_step import node_command, optional_duration, parse_applications

_Data = Mapping[str, Any]
_POINTER: Pointer = ("pool",)


def _system_of(data: _Data) -> OperatingSystem:
    """The operating system of a pool's nodes: as it says, else as its image tells."""
    if "os" in data:
        return OperatingSystem(data["os"])
    return _os_of(_image(data["image"])) if "image" in data else OperatingSystem.LINUX


def parse_pool(data: _Data, leaves: Leaves, steps: Sequence[Step]) -> Pool:
    """The pool, with nodes for tasks of these steps. The defaults are those of the schema."""
    if "existing" in data:
        return ExistingPool(
            id=data["existing"],
            os=_system_of(data),
            pointer=_POINTER,
        )
    start_task = data.get("start_task")
    return NewPool(
        image=_image(data["image"]),
        vm_size=data["vm_size"],
        size=_size(data, steps),
        task_slots_per_node=_node_slots(data),
        node_fill=NodeFill(data.get("node_fill", "spread")),
        start_task=start_task and node_command(start_task, leaves, (*_POINTER, "start_task")),
        node_retries=int((start_task or {}).get("node_retries", 0)),
        packages=tuple(data.get("packages", {}).get("apt", [])),
        container_images=tuple(data.get("container_images", [])),
        registries=tuple(
            _registry(each, (*_POINTER, "registries", index))
            for index, each in enumerate(data.get("registries", []))
        ),
        mounts=tuple(
            _mount(each, (*_POINTER, "mounts", index))
            for index, each in enumerate(data.get("mounts", []))
        ),
        network=_network(data["network"]) if "network" in data else None,
        users=tuple(
            _user(each, (*_POINTER, "users", index))
            for index, each in enumerate(data.get("users", []))
        ),
        inter_node_communication=data.get("inter_node_communication", False),
        applications=parse_applications(data),
        keep=optional_duration(data, "keep"),
        os=_system_of(data),
        extra=data.get("extra", {}),
        pointer=_POINTER,
    )


def _image(data: str | _Data) -> Image | CustomImage:
    if isinstance(data, str):
        return find_image(data)
    if "id" in data:
        return CustomImage(id=data["id"], node_agent=data["node_agent"])
    return Image(
        publisher=data["publisher"],
        offer=data["offer"],
        sku=data["sku"],
        version=data.get("version", "latest"),
    )


def _os_of(image: Image | CustomImage) -> OperatingSystem:
    return OperatingSystem.WINDOWS if is_windows(told_by(image)) else OperatingSystem.LINUX


def _size(data: _Data, steps: Sequence[Step]) -> FixedNodes | Autoscale:
    if "nodes" in data:
        # JSON Schema takes 2.0 for an integer; the service does not.
        return FixedNodes(
            dedicated=int(data["nodes"].get("dedicated", 0)),
            spot=int(data["nodes"].get("spot", 0)),
            fallback=_fallback(data["nodes"]),
        )
    autoscale = data["autoscale"]
    scenario = autoscale.get("scenario")
    return Autoscale(
        formula=autoscale["formula"]
        if scenario is None
        else scenario_formula(autoscale, node_slots=_node_slots(data), steps=steps),
        interval=parse_duration(autoscale.get("interval", "15m")),
        scenario=scenario,
        pointer=(*_POINTER, "autoscale"),
        most=None if scenario is None else _most(autoscale),
    )


def _most(autoscale: _Data) -> FixedNodes:
    """The bound of a formula of ours."""
    most = int(autoscale["max"])
    is_spot = autoscale.get("kind", "dedicated") == "spot"
    return FixedNodes(dedicated=0 if is_spot else most, spot=most if is_spot else 0)


def _fallback(nodes: _Data) -> Fallback | None:
    fallback = nodes.get("fallback")
    if fallback is None:
        return None
    most = fallback.get("after_preemptions")
    return Fallback(
        dedicated=int(fallback.get("dedicated", nodes.get("spot", 0))),
        after_preemptions=None if most is None else int(most),
        wait=optional_duration(fallback, "wait"),
        pointer=(*_POINTER, "nodes", "fallback"),
    )


def _node_slots(data: _Data) -> int:
    return int(data.get("task_slots_per_node", 1))


def _secret(data: _Data, key: str) -> SecretName | None:
    return SecretName(data[key]) if key in data else None


def _registry(data: _Data, pointer: Pointer) -> Registry:
    return Registry(
        server=data.get("server", "docker.io"),
        user=data["user"],
        password=SecretName(data["password_secret"]),
        pointer=pointer,
    )


def _mount(data: _Data, pointer: Pointer) -> Mount:
    source: BlobMount | FileShareMount | NfsMount | CifsMount
    if "blob" in data:
        blob = data["blob"]
        source = BlobMount(
            account=blob["account"],
            container=blob["container"],
            key=_secret(blob, "key_secret"),
            sas=_secret(blob, "sas_secret"),
        )
    elif "file_share" in data:
        share = data["file_share"]
        source = FileShareMount(
            account=share["account"], url=share["url"], key=SecretName(share["key_secret"])
        )
    elif "nfs" in data:
        source = NfsMount(source=data["nfs"]["source"])
    else:
        cifs = data["cifs"]
        source = CifsMount(
            source=cifs["source"],
            user=cifs["user"],
            password=SecretName(cifs["password_secret"]),
        )
    return Mount(path=data["path"], source=source, options=data.get("options", ""), pointer=pointer)


def _network(data: _Data) -> Network:
    addresses = data.get("public_addresses", "batch")
    return Network(
        subnet=data.get("subnet"),
        public_addresses=PublicAddresses(addresses)
        if isinstance(addresses, str)
        else tuple(addresses),
        accelerated=data.get("accelerated", False),
        pointer=(*_POINTER, "network"),
    )


def _user(data: _Data, pointer: Pointer) -> User:
    return User(
        name=data["name"],
        password=SecretName(data["password_secret"]),
        elevation=Elevation(data.get("rights", "user")),
        pointer=pointer,
    )
