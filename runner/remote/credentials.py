"""Whom the services are to take us for: an account's key, or whoever is signed in to Azure.

It must not know which service asks, nor look at the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from runner.remote.settings import Account

if TYPE_CHECKING:  # so that who has keys need not import what signs people in
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential


def batch_credential(
    account: Account, identity: Callable[[], TokenCredential]
) -> AzureNamedKeyCredential | TokenCredential:
    """For the Batch service: the account's key, or without one `identity`."""
    from azure.core.credentials import AzureNamedKeyCredential

    if account.key is None:
        return identity()
    return AzureNamedKeyCredential(account.name, account.key)


def find_identity(stack: ExitStack) -> Callable[[], TokenCredential]:
    """Whoever is signed in to Azure, looked for once and only where a key is missing.

    `stack` closes what was found.
    """
    found: list[TokenCredential] = []

    def identity() -> TokenCredential:
        if not found:
            from azure.identity import DefaultAzureCredential

            credential = DefaultAzureCredential()
            stack.callback(credential.close)
            found.append(credential)
        return found[0]

    return identity
