"""The accounts asked for: names, pairs, and what cannot be."""

from __future__ import annotations

import pytest

from runner.emulator.server.accounts import (
    AccountError,
    BatchPlan,
    Kind,
    make_accounts,
    plan_accounts,
)


def test_two_accounts_are_always_there() -> None:
    plan = plan_accounts()

    assert plan.names() == ("localbatch", "localstorage")


def test_each_batch_account_has_a_storage_account() -> None:
    plan = plan_accounts(
        [BatchPlan(name="second"), BatchPlan(name="third", storage="files")], ["files"]
    )
    accounts = make_accounts(plan, {name: name.encode() for name in plan.names()})

    assert [(pair.account.name, pair.storage.name) for pair in accounts.batch] == [
        ("localbatch", "localstorage"),
        ("second", "localstorage"),
        ("third", "files"),
    ]
    assert [(account.name, account.kind, account.key) for account in accounts.all()] == [
        ("localbatch", Kind.BATCH, b"localbatch"),
        ("second", Kind.BATCH, b"second"),
        ("third", Kind.BATCH, b"third"),
        ("localstorage", Kind.BLOB, b"localstorage"),
        ("files", Kind.BLOB, b"files"),
    ]
    assert "key" not in repr(accounts)


@pytest.mark.parametrize(
    ("batch", "storage", "message"),
    [
        (["ab"], [], "`ab` is not the name of an account: 3 to 24 lower-case letters and digits"),
        (
            [],
            ["with-dash"],
            "`with-dash` is not the name of an account: 3 to 24 lower-case letters and digits",
        ),
        (
            [],
            ["Upper"],
            "`Upper` is not the name of an account: 3 to 24 lower-case letters and digits",
        ),
        (["one"], ["one"], "there are two accounts `one`, of whichever service"),
        ([], ["localbatch"], "there are two accounts `localbatch`, of whichever service"),
    ],
)
def test_names_that_cannot_be_are_refused(
    batch: list[str], storage: list[str], message: str
) -> None:
    with pytest.raises(AccountError) as refused:
        plan_accounts([BatchPlan(name=name) for name in batch], storage)

    assert str(refused.value) == message


def test_a_storage_account_that_there_is_not_is_named() -> None:
    with pytest.raises(AccountError) as refused:
        plan_accounts([BatchPlan(name="one", storage="none")], ["files"])

    assert str(refused.value) == (
        "`none`, where the Batch account `one` keeps files, is not a storage account:"
        " there is `localstorage`, `files`"
    )
