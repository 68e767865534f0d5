"""Every label at every provider through every door: what must stay here is seen nowhere else.

The canary stands in each row of the data. A restricted one must not be in a single byte that
reaches any emulator; the same door, with a label that may leave, shows that it would be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ftbridge
from ftbridge import registry
from ftbridge.jobs.submit import submit as write_intent
from ftbridge.policy import Privacy
from ftbridge_local import models
from ftbridge_local.runs import Run

from .conftest import Ask, Said, label, rows
from .gate import Gate, gates

CANARY = "quetzal-obsidian-7731"
LABELS = [str(item) for item in Privacy]
PLACES = [n for n in registry.names() if registry.load(n).sandbox() or n == "local"]
MORE = ("--yes", "--allow-lossy", "--allow-unknown-cost")


@dataclass
class Case:
    """What a door is given."""

    ask: Ask
    gate: Gate
    privacy: str
    data: Path
    project: Path
    base: Path

    @property
    def place(self) -> list[str]:
        """The provider, and on this machine a model that is here."""
        more = ["--model", str(self.base)] if self.gate.name == "local" else []
        return ["--provider", self.gate.name, *more]

    def submit(self, *more: object) -> Said:
        return self.ask("submit", self.data, *self.place, *MORE, *more)

    def plan(self, bridge: ftbridge.Bridge, **more: Any) -> Any:
        model = str(self.base) if self.gate.name == "local" else None
        return bridge.plan(
            self.data, provider=self.gate.name, model=model, allow_lossy=True,
            allow_unknown_cost=True, **more,
        )  # fmt: skip

    def intent(self) -> str:
        """A job whose submit was killed right after its intent was written."""
        bridge = ftbridge.Bridge()
        plan = self.plan(bridge)
        place = bridge._provider_of_spec(plan.spec)
        job_id, _ = write_intent(plan, place, bridge.ledger, again=False, cap=None)
        bridge.ledger.close()
        return job_id


Door = Callable[[Case], Said]


def by_flag(case: Case) -> Said:
    return case.submit("--privacy", case.privacy)


def by_sidecar(case: Case) -> Said:
    label(case.data, case.privacy)
    return case.submit()


def by_sidecar_against_a_flag(case: Case) -> Said:
    label(case.data, case.privacy)
    return case.submit("--privacy", "public")


def by_project(case: Case) -> Said:
    (case.project / "ftbridge.toml").write_text(f'privacy = "{case.privacy}"\n')
    return case.submit()


def by_validation_file(case: Case) -> Said:
    other = case.project / "valid.jsonl"
    other.write_text(rows(CANARY + " other"))
    label(other, case.privacy)
    return case.submit("--validation", other)


def by_library(case: Case) -> Said:
    bridge = ftbridge.Bridge()
    try:
        job = bridge.submit(case.plan(bridge, privacy=case.privacy))
    except ftbridge.FtbridgeError as error:
        return Said(error.exit_code, error.message, "")
    finally:
        bridge.ledger.close()
    return Said(0, job.id, "")


def by_a_plan_made_by_hand(case: Case) -> Said:
    """The refusal taken out of the plan, and the label out of its spec."""
    label(case.data, case.privacy)
    bridge = ftbridge.Bridge()
    try:
        plan = case.plan(bridge)
        spec = plan.spec.model_copy(update={"privacy": Privacy.PUBLIC})
        job = bridge.submit(plan.model_copy(update={"refusal": None, "spec": spec}))
    except ftbridge.FtbridgeError as error:
        return Said(error.exit_code, error.message, "")
    finally:
        bridge.ledger.close()
    return Said(0, job.id, "")


def by_resume_after_a_crash(case: Case) -> Said:
    """The label was raised between the crash and the resume."""
    job = case.intent()
    label(case.data, case.privacy)
    return case.ask("resume", job)


def by_resume_elsewhere(case: Case) -> Said:
    """The same, from a folder that knows nothing of the project."""
    (case.project / "ftbridge.toml").write_text("[policy]\n")
    job = case.intent()
    (case.project / "ftbridge.toml").write_text(f'privacy = "{case.privacy}"\n[policy]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("/")
        return case.ask("resume", job)


def by_move(case: Case) -> Said:
    """A job that was planned as internal data, moved after its label was raised."""
    origin = "openai" if case.gate.name != "openai" else "mistral"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-none")
        patch.setenv("MISTRAL_API_KEY", "none")
        here = case.gate
        case.gate = Gate(origin)
        job = case.intent()
        case.gate = here
    label(case.data, case.privacy)
    return case.ask("move", job, "--to", *case.place[1:], *MORE)


def by_auto(case: Case) -> Said:
    """Only this provider has credentials; what is not allowed there may at most stay here."""
    label(case.data, case.privacy)
    return case.ask("submit", case.data, "--provider", "auto", *MORE)


def by_eval(case: Case) -> Said:
    """The rows as questions to a model there."""
    label(case.data, case.privacy)
    model = registry.load(case.gate.name).catalogue().models[0].model
    named = f"{case.gate.name}:{model}"
    return case.ask("eval", case.data, "--model", named, "--baseline", named)


def by_advise(case: Case) -> Said:
    """A sample of the rows as questions, the label given by a flag."""
    model = registry.load(case.gate.name).catalogue().models[0].model
    named = f"{case.gate.name}:{model}"
    return case.ask("advise", case.data, "--baseline", named, "--privacy", case.privacy)


def by_expand(case: Case) -> Said:
    """Rows shown to a model there that is to write more of them."""
    label(case.data, case.privacy)
    model = registry.load(case.gate.name).catalogue().models[0].model
    out = case.project / "drafts.jsonl"
    return case.ask("data", "expand", case.data, "--model", f"{case.gate.name}:{model}",
                    "-n", "1", "-o", out)  # fmt: skip


def by_judge(case: Case) -> Said:
    """Prompts answered and judged by a model there, the label given by a flag."""
    model = registry.load(case.gate.name).catalogue().models[0].model
    named, out = f"{case.gate.name}:{model}", case.project / "pairs.jsonl"
    return case.ask("data", "judge", case.data, "--model", named, "--judge", named, "-o", out,
                    "--privacy", case.privacy)  # fmt: skip


def by_rerun(case: Case) -> Said:
    """A job of this very place once more, on new data that has a label."""
    job = case.intent()
    new = case.project / "new.jsonl"
    new.write_text(rows(CANARY + " new"))
    label(new, case.privacy)
    return case.ask("rerun", job, "--data", new, *MORE)


DOORS: list[Door] = [
    by_flag, by_sidecar, by_sidecar_against_a_flag, by_project, by_validation_file, by_library,
    by_a_plan_made_by_hand, by_resume_after_a_crash, by_resume_elsewhere, by_move, by_auto, by_eval,
    by_advise, by_expand, by_judge, by_rerun,
]  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, Gate]]:
    with gates() as found:
        yield found


@pytest.fixture
def case(
    opened: dict[str, Gate], request: pytest.FixtureRequest, ask: Ask, project: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Case:  # fmt: skip
    from crash.conftest import write_model

    name, privacy = request.param
    gate = opened[name]
    gate.reset()
    gate.point(monkeypatch)
    monkeypatch.setattr(Run, "start", lambda run: None)
    monkeypatch.setattr(models, "fetch", _nothing_is_fetched)
    data = project / "train.jsonl"
    data.write_text(rows(CANARY))
    return Case(ask, gate, privacy, data, project, write_model(tmp_path / "base"))


def _nothing_is_fetched(*_: object, **__: object) -> Path:
    raise ftbridge.ProviderError("no model can be fetched in this test")


@pytest.mark.long
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize(
    "case", [(name, privacy) for name in PLACES for privacy in LABELS], indirect=True,
    ids=[f"{name}-{privacy}" for name in PLACES for privacy in LABELS],
)  # fmt: skip
def test_door(case: Case, door: Door) -> None:
    asks = door in (by_eval, by_advise, by_expand, by_judge)
    if asks and case.gate.name == "local":
        pytest.skip("a model here is asked here: there is no way out to look at")
    if asks and not registry.load(case.gate.name).supports("chat"):
        pytest.skip(registry.load(case.gate.name).absent["chat"])
    said = door(case)
    seen = case.gate.leaked(CANARY)
    assert case.gate.strayed == [], said
    if case.privacy == "restricted":
        assert not seen, "restricted bytes were seen outside"
        leaves = registry.load(case.gate.name).leaves and door is not by_auto
        assert said.code == (5 if leaves else said.code), said
    if case.gate.name == "local":
        assert not seen
    elif case.privacy != "restricted" and door is not by_auto:
        assert said.code != 5, said
        assert seen, f"the proxy would not have seen it: {said}"


def test_there_are_enough_named_cases() -> None:
    assert len(PLACES) * len(LABELS) * len(DOORS) >= 150


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PLACES if registry.load(name).leaves])
@pytest.mark.parametrize("privacy", LABELS)
@pytest.mark.parametrize("where", ["project", "machine"])
def test_a_rule_keeps_any_label_here(
    name: str, privacy: str, where: str, opened: dict[str, Gate], ask: Ask, project: Path,
    machine: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    gate = opened[name]
    gate.reset()
    gate.point(monkeypatch)
    rule = f'[[policy.allow]]\nlabels = ["{privacy}"]\nproviders = ["none-of-them"]\n'
    (machine if where == "machine" else project / "ftbridge.toml").write_text(rule)
    data = project / "train.jsonl"
    data.write_text(rows(CANARY))
    said = ask("submit", data, "--provider", name, "--privacy", privacy, *MORE)
    assert said.code == 5 and not gate.leaked(CANARY) and gate.strayed == []
    if privacy != "restricted":
        assert said.json["error"]["where"] == f"{where}:policy.allow.1"
