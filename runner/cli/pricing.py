"""Where the price of a run's nodes comes from: a table of the user's, or Azure's list prices.

It must not know what is done with the price.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from runner.cli.specs import PRICES_VARIABLE
from runner.cli.world import World
from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.plan.prices.bounds import most_nodes
from runner.plan.prices.node_price import NodePrice
from runner.run.stop import Stop
from runner.spec.model.pool import ExistingPool, FixedNodes, OperatingSystem
from runner.spec.model.workload import Workload

ENDPOINT_VARIABLE = "BATCH_RUN_PRICES_ENDPOINT"
"""Where the price service is, for whoever has another one."""
AZURE = "azure"
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
# None has a name of three letters: those are a currency in small ones.
_REGION = re.compile(r"[a-z0-9]{4,}\Z")
_BATCH_HOST = re.compile(r"https://[^./]+\.([a-z0-9]+)\.batch\.azure\.[a-z]+(?:[:/]|\Z)")
_DEFAULT_CURRENCY = "USD"
_BOTH = FixedNodes(dedicated=1, spot=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose prices are wanted: a file, or Azure's of a region in a currency."""

    file: str | None = None
    region: str | None = None
    currency: str | None = None


class NoPriceError(UsageError):
    """Nobody says what the nodes cost."""


def read_asked(given: str | None, environ: Mapping[str, str]) -> Asked | None:
    """What the option says, else the environment; None where neither says anything."""
    text = given or environ.get(PRICES_VARIABLE) or None
    if text is None:
        return None
    parts = text.split(":")
    if parts[0] != AZURE:
        return Asked(file=text)
    region = currency = None
    for part in parts[1:]:
        if _CURRENCY.match(part) and currency is None:
            currency = part
        elif _REGION.match(part) and region is None:
            region = part
        else:
            is_known = _CURRENCY.match(part) or _REGION.match(part)
            wrong = "is one too many" if is_known else "is neither a region nor a currency"
            raise UsageError(
                f"`{text}`: `{part}` {wrong}",
                hint=f"write `azure:westeurope:EUR`; a file of that name is `./{text}`",
            )
    return Asked(region=region, currency=currency)


def price_for_run(
    workload: Workload,
    given: str | None,
    world: World,
    *,
    endpoint: str | None,
    ask_pool: Callable[[str], str | None],
) -> NodePrice | None:
    """The price that a run is told, where somebody asked or `limits.cost` needs it; else None.

    On the local target, which has no `endpoint`, nothing costs anything. Raises `NoPriceError`
    where `limits.cost` could not be kept to; a price that only somebody asked for is done without.
    """
    needs = endpoint is not None and workload.limits.cost is not None
    asked = read_asked(given, world.environ)
    if asked is None:
        if not needs:
            return None
        asked = Asked()
    try:
        price = find_price(workload, asked, world, endpoint=endpoint, ask_pool=ask_pool)
        if needs:
            check_kinds(workload, price)
    except NoPriceError as error:
        if needs:
            raise NoPriceError(
                f"`limits.cost` needs the price of nodes: {error.message}", hint=error.hint
            ) from error
        what_to_do = "" if error.hint is None else f" ({error.hint})"
        world.say(f"note: price not known: {error.message}{what_to_do}")
        return None
    return price


def find_price(
    workload: Workload,
    asked: Asked,
    world: World,
    *,
    endpoint: str | None,
    ask_pool: Callable[[str], str | None],
) -> NodePrice:
    """The price of an hour of the workload's nodes.

    `endpoint` is that of the Batch account, whose name tells the region, and `ask_pool` tells the
    VM size of a pool of the user's. Raises `NoPriceError` where nobody tells the price, and
    `SpecError` with all that is wrong in a table.
    """
    pool = workload.pool
    vm_size = ask_pool(pool.id) if isinstance(pool, ExistingPool) else pool.vm_size
    if vm_size is None:
        raise NoPriceError(f"the VM size of pool `{pool_name(workload)}` is not known here")
    price = (
        _from_table(asked.file, vm_size, world)
        if asked.file is not None
        else _from_azure(workload, asked, vm_size, world, endpoint)
    )
    limit = workload.limits.cost
    if limit is not None and limit.currency not in {None, price.currency}:
        raise NoPriceError(
            f"`limits.cost` is in {limit.currency}, and {price.source} in {price.currency}",
            hint="nothing is converted: give both in one currency",
        )
    return price


def check_kinds(workload: Workload, price: NodePrice) -> None:
    """Raises `NoPriceError` where a kind of node that the pool may have has no price."""
    most = most_nodes(workload.pool) or _BOTH
    kind = price.lacks(dedicated=bool(most.dedicated), spot=bool(most.spot))
    if kind is not None:
        raise NoPriceError(
            f"{price.source} has no price of {kind} nodes of `{price.vm_size}`",
            hint=f"add `{kind}` to `{price.vm_size}` in a table of your own: `--prices FILE`",
        )


def pool_name(workload: Workload) -> str:
    """The id of a pool of the user's, else the VM size."""
    pool = workload.pool
    return pool.id if isinstance(pool, ExistingPool) else pool.vm_size


def _from_table(name: str, vm_size: str, world: World) -> NodePrice:
    from runner.plan.prices.price_table import read_price_table
    from runner.spec.document import MOST_BYTES

    try:
        with (world.working_directory / name).open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"cannot read the prices `{name}`: {reason}",
            hint="`--prices azure` asks for Azure's list prices",
        ) from error
    table = read_price_table(name, content)
    price = table.find(vm_size)
    if price is None:
        raise NoPriceError(f"{name} has no price of `{vm_size}`", hint=table.suggest(vm_size))
    return price


def _from_azure(
    workload: Workload, asked: Asked, vm_size: str, world: World, endpoint: str | None
) -> NodePrice:
    from runner.remote.price_cache import find_price as find_kept
    from runner.remote.retail_prices import ENDPOINT, PricesUnknownError, RetailQuery, fetch_price

    region = asked.region or region_of(endpoint)
    if region is None:
        raise NoPriceError(
            "the region is not known, whose prices Azure is to be asked for",
            hint="name it: `--prices azure:westeurope`, or give a table: `--prices FILE`",
        )
    limit = workload.limits.cost
    query = RetailQuery(
        vm_size=vm_size,
        region=region,
        currency=asked.currency or (limit and limit.currency) or _DEFAULT_CURRENCY,
        windows=workload.pool.os is OperatingSystem.WINDOWS,
    )
    service = world.environ.get(ENDPOINT_VARIABLE) or ENDPOINT
    now = world.clock.now()

    def fetch(query: RetailQuery) -> NodePrice:
        clock = world.clock
        return fetch_price(
            query,
            endpoint=service,
            now=now,
            monotonic=clock.monotonic,
            pause=lambda seconds: clock.wait(Stop(), seconds),
        )

    folder = _cache_folder(world.environ)
    if folder is not None and service != ENDPOINT:
        # What another service says is not to be taken for Azure's prices later.
        folder = folder / sha256(service.encode(errors="surrogateescape")).hexdigest()[:16]
    try:
        if folder is None:
            return fetch(query)
        return find_kept(query, folder, fetch=fetch, now=now, tell=world.say)
    except PricesUnknownError as error:
        hint = error.hint or "give a table of your own: `--prices FILE`"
        raise NoPriceError(error.message, hint=hint) from error


def region_of(endpoint: str | None) -> str | None:
    """The region in the name of a Batch account's host: `<account>.<region>.batch.azure.com`."""
    found = None if endpoint is None else _BATCH_HOST.match(endpoint)
    return None if found is None else found[1]


def _cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Where the user's caches are; None where nobody says."""
    given = environ.get("XDG_CACHE_HOME")
    if given and Path(given).is_absolute():
        return Path(given) / "batch-run" / "prices"
    local, home = environ.get("LOCALAPPDATA"), environ.get("HOME")
    if local:
        return Path(local) / "batch-run" / "prices"
    return Path(home) / ".cache" / "batch-run" / "prices" if home else None
