"""Links among the files to bring up: those that lead out of the spec's folder are named."""

from __future__ import annotations

from pathlib import Path

from runner.plan.model import NO_LINKS, OutsideLinks
from runner.spec.model.terms import Role
from tests.fakes.plans import SPEC, lines, make_plan, make_workload, refused, spec_of


def outside(folder: Path, text: str = SPEC) -> OutsideLinks:
    """What the plan of a spec in `folder/here` says of its links."""
    return make_plan(folder / "here", text, ()).container(Role("input")).outside_links


def lay(folder: Path, *links: tuple[str, str]) -> None:
    """A secret beside the spec's folder, and links below it by path and target."""
    (folder / "secrets").mkdir()
    for name in ("key", "other"):
        (folder / "secrets" / name).write_text("s3cret")
    make_workload(folder / "here")
    (folder / "here" / "beside.txt").write_text("beside")
    for path, target in links:
        (folder / "here" / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / "here" / path).symlink_to(target)


def test_links_that_lead_out_are_named(tmp_path: Path) -> None:
    lay(
        tmp_path,
        ("data/z", "../../secrets/key"),
        ("data/sub/k", str(tmp_path / "secrets" / "other")),
        ("data/twice", "z"),
        ("data/inside", "../beside.txt"),
        ("data/near", "a.txt"),
        ("data/folder", "../../secrets"),
        ("data/.hidden", "../../secrets/key"),
    )
    secrets = (tmp_path / "secrets").resolve()
    assert outside(tmp_path) == OutsideLinks(
        count=3,
        first=(
            ("data/sub/k", f"{secrets}/other"),
            ("data/twice", f"{secrets}/key"),
            ("data/z", f"{secrets}/key"),
        ),
    )


def test_only_links_that_are_brought_up_count(tmp_path: Path) -> None:
    lay(tmp_path, ("data/z", "../../secrets/key"))
    text = SPEC.replace("{from: data}", "{from: data, exclude: [z]}")
    assert outside(tmp_path, text) == NO_LINKS


def test_a_few_are_kept_of_many(tmp_path: Path) -> None:
    lay(tmp_path, *((f"data/{number}", "../../secrets/key") for number in range(10, 40)))
    found = outside(tmp_path)
    assert found.count == 30
    assert [path for path, _ in found.first] == [f"data/{number}" for number in range(10, 15)]


def test_what_is_uploaded_from_may_lead_out_itself(tmp_path: Path) -> None:
    lay(tmp_path, ("more", "../secrets"), ("file", "../secrets/key"))
    secrets = (tmp_path / "secrets").resolve()
    (tmp_path / "secrets" / "within").symlink_to("key")
    text = SPEC.replace("{from: data}", "{from: more, to: more}, {from: file}")
    assert outside(tmp_path, text) == OutsideLinks(
        count=2, first=(("more", f"{secrets}"), ("file", f"{secrets}/key"))
    )


def test_a_folder_that_is_named_outside_hides_nothing(tmp_path: Path) -> None:
    lay(tmp_path, ("data/z", "../../secrets/key"))
    (tmp_path / "secrets" / "within").symlink_to("key")
    for source in ("../secrets", str(tmp_path / "secrets")):
        assert outside(tmp_path, SPEC.replace("{from: data}", f"{{from: {source}}}")) == NO_LINKS


def test_a_spec_folder_that_is_reached_by_a_link(tmp_path: Path) -> None:
    lay(tmp_path, ("data/inside", "../beside.txt"), ("data/z", "../../secrets/key"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "here").symlink_to(tmp_path / "here")
    found = outside(tmp_path / "elsewhere")
    assert found.first == (("data/z", f"{(tmp_path / 'secrets').resolve()}/key"),)


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    lay(tmp_path, ("data/gone", "../nothing"), ("data/sub/gone\n", "/no/such"))
    text = spec_of("task: {for_each: input, command: echo}\n")
    found = refused(tmp_path / "here", text, ())
    data = tmp_path / "here" / "data"
    assert lines(found) == [
        (
            f"spec.yaml:5:21: broken-link: `{data}/gone` is a link to `../nothing`, where there is"
            " nothing"
        ),
        (
            f"spec.yaml:5:21: broken-link: `{data}/sub/gone\\n` is a link to `/no/such`, where"
            " there is nothing"
        ),
    ]
    assert {each.hint for each in found} == {"delete it, or leave it out by `exclude`"}
    spared = text.replace("{from: data}", '{from: data, exclude: ["**/gone*"]}')
    assert outside(tmp_path, spared) == NO_LINKS
