"""The operations on the account itself.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.properties import SUPPORTED_IMAGES
from runner.emulator.batch.operations.images import IMAGES, Image
from runner.emulator.batch.operations.paging import (
    Listing,
    list_page,
    number_in_order,
)
from runner.emulator.batch.operations.replies import Reply


def list_supported_images(call: Call) -> Reply:
    """`GET /supportedimages`."""
    listing = Listing(
        name="supportedimages",
        after=number_in_order(IMAGES),
        show=_show,
        properties=SUPPORTED_IMAGES,
        selectable=False,
    )
    return list_page(call, listing)


def _show(image: Image) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "imageReference": {
            "publisher": image.publisher,
            "offer": image.offer,
            "sku": image.sku,
            "version": "latest",
        },
        "verificationType": "verified" if image.verified else "unverified",
        "nodeAgentSKUId": image.agent,
    }
    if image.capabilities:
        shown["capabilities"] = list(image.capabilities)
    if image.end_of_life is not None:
        shown["batchSupportEndOfLife"] = image.end_of_life
    shown["osType"] = image.os_type
    return shown
