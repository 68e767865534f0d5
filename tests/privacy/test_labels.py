"""Labels: who gives them, which holds, and that none gets lost on the way."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

import ftbridge
from ftbridge.policy import Privacy, label_of

from .conftest import Ask, label, rows

ORDER = list(Privacy)


@pytest.mark.parametrize(("flag", "sidecar", "settings"), list(product([None, *ORDER], repeat=3)))
def test_the_strictest_holds(
    flag: Privacy | None,
    sidecar: Privacy | None,
    settings: Privacy | None,
    data: Path,
    project: Path,
) -> None:
    if sidecar:
        label(data, sidecar)
    if settings:
        (project / "ftbridge.toml").write_text(f'privacy = "{settings}"\n')
    found = ftbridge.Bridge().check_policy(data, provider="local", privacy=flag)
    given = [item for item in (flag, sidecar, settings) if item]
    assert found.privacy == max(given, key=ORDER.index, default=Privacy.INTERNAL)
    lowered = flag is not None and flag != found.privacy
    assert any("strictest holds" in note for note in found.notes) is lowered


@pytest.mark.parametrize(
    "text", ["privacy = 3", 'privacy = "secret"', "privacy", "\x00", "", 'label = "public"', "[a]"]
)
def test_a_label_that_cannot_be_read_is_the_strictest(data: Path, text: str) -> None:
    sidecar = data.with_name(data.name + ".ftbridge.toml")
    sidecar.write_bytes(text.encode())
    found = label_of([data], Privacy.PUBLIC)
    assert found.privacy is Privacy.RESTRICTED
    assert any(str(sidecar) in note for note in found.notes)


def test_a_folder_in_its_place_is_no_way_round(data: Path) -> None:
    data.with_name(data.name + ".ftbridge.toml").mkdir()
    assert label_of([data], None).privacy is Privacy.RESTRICTED


def test_the_label_of_a_link_is_also_that_of_its_target(data: Path, tmp_path: Path) -> None:
    label(data, "confidential")
    link = tmp_path / "elsewhere.jsonl"
    link.symlink_to(data)
    assert label_of([link], None).privacy is Privacy.CONFIDENTIAL
    label(link, "restricted")
    assert label_of([link], None).privacy is Privacy.RESTRICTED


def test_the_validation_file_counts(data: Path, project: Path) -> None:
    other = project / "valid.jsonl"
    other.write_text(rows("other"))
    label(other, "restricted")
    plan = ftbridge.Bridge().plan(data, provider="openai", validation=other)
    assert plan.refusal and plan.refusal.exit_code == 5


def test_the_projects_above_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "ftbridge.toml").write_text('privacy = "restricted"\n')
    below = project / "a" / "b"
    below.mkdir(parents=True)
    (below / "ftbridge.toml").write_text('privacy = "public"\n')
    path = below / "train.jsonl"
    path.write_text(rows("x"))
    monkeypatch.chdir("/")
    found = ftbridge.Bridge().check_policy(path, provider="local")
    assert (found.privacy, found.label) == ("restricted", str(project / "ftbridge.toml"))


@pytest.mark.parametrize("command", ["convert", "split", "redact"])
def test_what_is_made_from_labelled_data_is_labelled(
    command: str, data: Path, ask: Ask, tmp_path: Path
) -> None:
    label(data, "restricted")
    out = tmp_path / "out"
    more = ["--to", "openai"] if command == "convert" else []
    target = out if command == "split" else out / "made.jsonl"
    assert ask(command, data, *more, "-o", target).code == 0
    made = [path for path in out.iterdir() if path.suffix == ".jsonl"]
    assert made and all(label_of([path], None).privacy is Privacy.RESTRICTED for path in made)


def test_a_project_label_follows_the_data_out_of_the_project(
    data: Path, project: Path, ask: Ask, tmp_path: Path
) -> None:
    (project / "ftbridge.toml").write_text('privacy = "confidential"\n')
    assert ask("redact", data, "-o", project / "inside.jsonl").code == 0
    assert not (project / "inside.jsonl.ftbridge.toml").exists()
    assert ask("redact", data, "-o", tmp_path / "outside.jsonl").code == 0
    assert label_of([tmp_path / "outside.jsonl"], None).privacy is Privacy.CONFIDENTIAL


def test_a_split_by_share_keeps_the_label(data: Path, closed_world: Path) -> None:
    label(data, "restricted")
    with pytest.raises(ftbridge.PolicyRefused, match="restricted"):
        ftbridge.Bridge().plan(data, provider="openai", validation=0.2)
    kept = sorted((closed_world / "splits").rglob("*.jsonl"))
    assert len(kept) == 2
    assert {label_of([path], None).privacy for path in kept} == {Privacy.RESTRICTED}


def test_the_plan_says_whose_label_it_is(data: Path, ask: Ask) -> None:
    label(data, "confidential")
    plan = ftbridge.Bridge().plan(data, provider="openai", privacy="public")
    assert plan.spec.privacy is Privacy.CONFIDENTIAL
    assert plan.label.endswith("train.jsonl.ftbridge.toml")
    assert any("strictest holds" in text for text in plan.warnings)
    shown = ask("plan", data, "--provider", "openai").json
    assert (shown["privacy"], shown["label"]) == ("confidential", plan.label)
    assert (shown["rule"], shown["region"], shown["retention"]) == ("default.allow", None, None)
