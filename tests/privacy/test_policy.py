"""Policy files: what they allow, that they only narrow, and that a faulty one denies."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulated import Account

import ftbridge
from ftbridge.policy import Destination, Policy, Privacy, decide
from ftbridge.policy.decision import user
from ftbridge.testing.faults import Answers

from .conftest import Ask, label

AZURE = Destination("azure_openai", "mine.openai.azure.com", "swedencentral", "https://a", True)
GLOBAL = Destination("azure_openai", "mine.openai.azure.com", "global", "https://a", True)
OTHER = Destination("azure_openai", "theirs.openai.azure.com", "swedencentral", "https://b", True)
MISTRAL = Destination("mistral", "key-1", None, "https://api.mistral.ai", True)
HERE = Destination("local", "this-machine", None, "/home", False)

RULES = """
[policy]
retention = "7d"
[[policy.allow]]
name = "eu"
labels = ["confidential"]
providers = ["azure_*"]
accounts = ["mine.*"]
regions = ["swedencentral", "west*"]
[[policy.allow]]
labels = ["internal"]
providers = ["mistral", "azure_openai"]
"""


@pytest.mark.parametrize(
    ("privacy", "there", "allowed", "rule"),
    [
        ("public", MISTRAL, True, "default.allow"),
        ("internal", MISTRAL, True, "project:policy.allow.2"),
        ("internal", GLOBAL, True, "project:policy.allow.2"),
        ("confidential", AZURE, True, "project:policy.allow.eu"),
        ("confidential", GLOBAL, False, "project:policy.allow.eu"),
        ("confidential", OTHER, False, "project:policy.allow.eu"),
        ("confidential", MISTRAL, False, "project:policy.allow.eu"),
        ("confidential", HERE, True, "default.stays-here"),
        ("restricted", AZURE, False, "default.restricted-stays-here"),
        ("restricted", HERE, True, "default.stays-here"),
    ],
)
def test_labels_providers_accounts_regions(
    project: Path, privacy: str, there: Destination, allowed: bool, rule: str
) -> None:
    (project / "ftbridge.toml").write_text(RULES)
    found = decide(Privacy(privacy), there)
    assert (found.allowed, found.rule) == (allowed, rule)
    if not allowed:
        assert privacy in found.message and found.hint


def test_a_place_without_a_region_fits_no_region(project: Path) -> None:
    (project / "ftbridge.toml").write_text(
        '[[policy.allow]]\nlabels = ["public"]\nregions = ["*"]\n'
    )
    found = decide(Privacy.PUBLIC, MISTRAL)
    assert not found.allowed and "names no region" in found.message


def test_without_a_file_it_goes_with_a_notice(data: Path) -> None:
    plan = ftbridge.Bridge().plan(data, provider="openai")
    assert plan.allowed and plan.rule == "default.allow"
    assert any("no policy file" in text and plan.endpoint in text for text in plan.warnings)


@pytest.mark.parametrize("default", ["allow", "deny"])
def test_labels_that_no_rule_names(project: Path, default: str) -> None:
    (project / "ftbridge.toml").write_text(
        f'[policy]\ndefault = "{default}"\n[[policy.allow]]\nlabels = ["public"]\n'
    )
    assert decide(Privacy.INTERNAL, MISTRAL).allowed is (default == "allow")
    assert decide(Privacy.PUBLIC, MISTRAL).allowed
    assert decide(Privacy.INTERNAL, HERE).allowed


def test_a_project_cannot_let_restricted_go(project: Path, machine: Path) -> None:
    row = '[[policy.allow]]\nlabels = ["restricted"]\nproviders = ["azure_openai"]\n'
    (project / "ftbridge.toml").write_text(row)
    assert not decide(Privacy.RESTRICTED, AZURE).allowed
    machine.write_text(row)
    assert decide(Privacy.RESTRICTED, AZURE).allowed
    assert not decide(Privacy.RESTRICTED, MISTRAL).allowed


def test_the_machines_policy_is_not_overridden(
    project: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text('[[policy.allow]]\nlabels = ["public"]\nproviders = ["azure_openai"]\n')
    (project / "ftbridge.toml").write_text('[[policy.allow]]\nlabels = ["public"]\n')
    for name in ("FTBRIDGE_POLICY", "FTBRIDGE_MACHINE_POLICY", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(project))
    found = decide(Privacy.PUBLIC, MISTRAL)
    assert (found.allowed, found.rule) == (False, "machine:policy.allow.1")


def test_settings_are_found_above(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest file counts for settings, all of them for the policy."""
    (project / "ftbridge.toml").write_text('[providers.openai]\na = "above"\n')
    (project / "sub" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "sub" / "deep")
    assert ftbridge.Bridge().config.provider_options("openai", {})["a"] == "above"
    (project / "sub" / "ftbridge.toml").write_text('[providers.openai]\na = "near"\n')
    assert ftbridge.Bridge().config.provider_options("openai", {})["a"] == "near"


def test_a_nearer_file_only_narrows(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "ftbridge.toml").write_text(RULES)
    below = project / "sub"
    below.mkdir()
    (below / "ftbridge.toml").write_text('[[policy.allow]]\nlabels = ["confidential"]\n')
    monkeypatch.chdir(below)
    assert not decide(Privacy.CONFIDENTIAL, MISTRAL).allowed


BROKEN = [
    "policy = 3", "[policy]\nallow = 3", "[policy", '[policy]\nallowed = ["x"]',
    '[[policy.allow]]\nlabels = ["secret"]', "[[policy.allow]]\nlabels = []",
    '[[policy.allow]]\nproviders = ["x"]', '[policy]\nretention = "7 days"',
    '[policy]\ndefault = "maybe"', "\x00\xff",
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("where", ["project", "machine"])
def test_a_policy_that_cannot_be_followed_denies(
    text: str, where: str, data: Path, project: Path, machine: Path, ask: Ask
) -> None:
    path = machine if where == "machine" else project / "ftbridge.toml"
    path.write_bytes(text.encode("latin-1"))
    for provider in ("openai", "local"):
        said = ask("submit", data, "--provider", provider, "--yes", "--privacy", "public")
        assert (said.code, said.json["error"]["where"]) == (5, "default.unreadable-policy")
        assert str(path) in said.json["error"]["message"]
    assert ask("policy", "check", data, "--provider", "mistral").code == 5
    shown = ask("policy", "show")
    assert shown.code == 0 and shown.json["files"][0]["fault"]


@pytest.mark.parametrize("where", ["project", "machine"])
def test_a_policy_that_cannot_be_opened_denies(
    where: str, data: Path, project: Path, machine: Path
) -> None:
    (machine if where == "machine" else project / "ftbridge.toml").mkdir()
    found = decide(Privacy.PUBLIC, MISTRAL)
    assert (found.allowed, found.rule) == (False, "default.unreadable-policy")


def test_the_machines_file_has_no_other_keys(project: Path, machine: Path) -> None:
    machine.write_text("[polcy]\ndefault = 'deny'\n")
    assert not decide(Privacy.PUBLIC, MISTRAL).allowed


def test_who_may_submit(data: Path, machine: Path, ask: Ask) -> None:
    machine.write_text('[policy]\nsubmitters = ["somebody-else"]\n')
    said = ask("submit", data, "--provider", "local")
    assert (said.code, said.json["error"]["where"]) == (5, "machine:policy.submitters")
    machine.write_text(f'[policy]\nsubmitters = ["{user()}"]\n')
    assert Policy.in_force().may_submit().allowed


def test_the_users_name_is_no_variable(
    project: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text('[policy]\nsubmitters = ["boss"]\n')
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "boss")
    assert not Policy.in_force().may_submit().allowed


def test_compare_lists_what_is_excluded_with_the_rule(data: Path, project: Path, ask: Ask) -> None:
    (project / "ftbridge.toml").write_text(RULES)
    label(data, "confidential")
    said = ask("compare", data)
    assert said.code == 0
    excluded = {item["provider"]: item["reason"] for item in said.json["excluded"]}
    assert "project:policy.allow.eu" in excluded["mistral"] and "openai" in excluded
    assert {offer["provider"] for offer in said.json["offers"]} <= {"local"}
    assert "project:policy.allow.eu" in excluded["bedrock"]  # no adapter yet, its prices alone


def test_check_show_and_explain(vendor: object, data: Path, project: Path, ask: Ask) -> None:
    (project / "ftbridge.toml").write_text('[policy]\nretention = "7d"\n')
    may = ask("policy", "check", data, "--provider", "openai")
    assert may.code == 0 and may.json["allowed"] and may.json["rule"] == "default.allow"
    assert any("7d after the end" in note for note in may.json["notes"])
    label(data, "restricted")
    not_so = ask("policy", "check", data, "--provider", "openai")
    assert not_so.code == 5 and not_so.json["error"]["where"] == not_so.json["rule"]
    label(data, "internal")
    job = ask("submit", data, "--provider", "openai", "--yes").json["job"]
    found = ask("policy", "explain", job).json
    assert found["today"]["allowed"] and found["retention"] == "7d"
    assert [entry["action"] for entry in found["egress"]] == ["sending", "sent"]
    label(data, "restricted")
    assert not ask("policy", "explain", job).json["today"]["allowed"]
    assert ask("policy", "show").json["files"][0]["policy"]["retention"] == "7d"


# -- scan ----------------------------------------------------------------------------------------

SECRETS = ("alice.b@example.com", "DE89370400440532013000", "AKIAIOSFODNN7EXAMPLE")


@pytest.fixture
def private(project: Path) -> Path:
    path = project / "private.jsonl"
    path.write_text(
        "".join(
            f'{{"messages":[{{"role":"user","content":"mail {secret} now {n}"}},'
            f'{{"role":"assistant","content":"ok"}}]}}\n'
            for n in range(5)
            for secret in SECRETS
        )
    )
    return path


@pytest.mark.parametrize("scan", ["true", '["internal"]', '["confidential"]'])
def test_a_policy_can_want_a_scan(
    vendor: Account, private: Path, project: Path, ask: Ask, scan: str
) -> None:
    (project / "ftbridge.toml").write_text(f"[policy]\nscan = {scan}\n")
    said = ask("submit", private, "--provider", "openai", "--yes")
    if "confidential" in scan:
        assert said.code == 0
        return
    assert (said.code, said.json["error"]["where"]) == (5, "project:policy.scan")
    assert "personal_data.email" in said.json["error"]["message"]
    assert "ftbridge redact" in said.json["error"]["hint"]
    checked = ask("policy", "check", private, "--provider", "openai")
    assert checked.code == 5 and checked.json["findings"]
    assert not any(secret in text for secret in SECRETS for text in (said.out, checked.out))
    clean = project / "clean.jsonl"
    assert ask("redact", private, "-o", clean).code == 0
    assert ask("submit", clean, "--provider", "openai", "--yes").code == 0


def test_what_stays_here_needs_no_scan(private: Path, project: Path, ask: Ask) -> None:
    (project / "ftbridge.toml").write_text("[policy]\nscan = true\n")
    assert ask("policy", "check", private, "--provider", "local").code == 0


def test_a_validation_file_is_scanned_too(
    data: Path, private: Path, project: Path, ask: Ask
) -> None:
    (project / "ftbridge.toml").write_text("[policy]\nscan = true\n")
    said = ask("plan", data, "--provider", "openai", "--validation", private)
    assert said.code == 5 and "private.jsonl" in said.json["error"]["message"]


def test_a_job_that_may_not_go_on_can_be_given_up(
    vendor: Account, data: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.injector.on("POST", r"/jobs$", Answers(429, 0), times=None)
    assert ask("submit", data, "--provider", "openai", "--yes").code == 4
    job = ask("jobs").json["jobs"][0]["job"]
    vendor.injector.heal()
    label(data, "restricted")
    said = ask("resume", job)
    assert (said.code, said.json["error"]["where"]) == (5, "default.restricted-stays-here")
    assert f"ftbridge cancel {job}" in said.json["error"]["hint"]
    assert vendor.store.jobs == {}
    assert ask("cancel", job).json["state"] == "cancelled"
    assert ask("purge", job).code == 0 and vendor.uploaded() == []
