"""Raw properties are shown, and their secrets are not."""

from __future__ import annotations

from runner.report.extra import extra_as_text, shown_extra


def test_secrets_are_left_out_at_any_depth() -> None:
    extra: dict[str, object] = {
        "containerSettings": {"registry": {"username": "me", "password": "hunter2"}},
        "mounts": [{"accountKey": "a2V5", "relativeMountPath": "films"}, "plain"],
        "resizeTimeout": "PT20M",
    }
    assert shown_extra(extra) == {
        "containerSettings": {"registry": {"username": "me", "password": "***"}},
        "mounts": [{"accountKey": "***", "relativeMountPath": "films"}, "plain"],
        "resizeTimeout": "PT20M",
    }
    assert extra_as_text({"password": "hunter2", "é": 1}) == '{"password": "***", "é": 1}'
