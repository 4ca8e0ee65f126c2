"""Where the page is, and the token that whoever looks at it needs.

It must not know what the page shows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from runner.emulator.control.gate import ControlError, Told
from runner.emulator.server.accounts import Account

_TOKEN_BYTES = 18


class PageAddress:
    """What stands at `/.emulator/dashboard` on the port of the accounts: where the page is.

    Without the token, which anybody of this machine could read there.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin

    async def answer(self, told: Told) -> object:
        """Its address, for who has the token."""
        if told.path:
            raise ControlError(404, f"the page has a port of its own: {self._origin}/")
        if told.method not in ("GET", "HEAD"):
            raise ControlError(405, f"`{told.method}` is none of GET and HEAD")
        return {"address": f"{self._origin}/"}


def make_token(account: Account) -> str:
    """The token of a page: it follows from a key, and the key does not follow from it.

    So it stays as it is over restarts where the key does.
    """
    digest = hmac.digest(account.key, b"batch-run emulator: dashboard", hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode("ascii")


def page_address(origin: str, token: str) -> str:
    """What a browser is to open; the token is in the fragment, which is sent to nobody."""
    return f"{origin}/#token={token}"
