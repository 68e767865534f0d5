"""What the policy says of some data and a place: asked when planning, and again before sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ftbridge.dataset import Dataset, Finding
from ftbridge.errors import PolicyRefused
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import JobSpec
from ftbridge.policy import Decision, Destination, Label, Policy, Privacy, label_of
from ftbridge.policy.decision import shortest
from ftbridge.provider import Provider


@dataclass(frozen=True)
class Clearance:
    """The label of some data, and the policy in force where it lies and where we work."""

    label: Label
    policy: Policy

    @classmethod
    def of(
        cls,
        data: Sequence[str | Path],
        asked: Privacy | None = None,
        recorded: Sequence[str] = (),
    ) -> Clearance:
        """Found for files as they are now.

        Args:
            asked: a label by flag or argument: it can only raise.
            recorded: project files that held when a job was planned.
        """
        policy = Policy.in_force(
            [Path.cwd(), *_folders(data)], recorded=[Path(path) for path in recorded]
        )
        return cls(label_of(data, asked, policy.settings), policy)

    @classmethod
    def of_spec(cls, spec: JobSpec) -> Clearance:
        """For the files of a spec, at least as strict as its label."""
        files = [spec.training.path, *([spec.validation.path] if spec.validation else [])]
        return cls.of(files, spec.privacy)

    @classmethod
    def of_plan(cls, plan: Plan) -> Clearance:
        """For a job that was planned earlier: its files and its project's rules as they are now."""
        spec = plan.spec
        files = [spec.training.path, *([spec.validation.path] if spec.validation else [])]
        return cls.of(files, spec.privacy, plan.policies)

    def place(self, destination: Destination) -> Decision:
        """Whether the data may go there, whoever sends it."""
        decision = self.policy.decide(self.label.privacy, destination)
        if decision.allowed or self.label.origin == "asked for":
            return decision
        said = " ".join(self.label.notes)
        message = f"{decision.message}; the label is from {self.label.origin}"
        return Decision(
            False, decision.rule, f"{message} ({said})" if said else message, decision.hint
        )

    def decide(self, destination: Destination) -> Decision:
        """Whether a job with the data may be submitted there."""
        decision = self.place(destination)
        who = self.policy.may_submit()
        return decision if who.allowed or not decision.allowed else who

    def require(self, destination: Destination, datasets: Sequence[Dataset | None]) -> None:
        """Raise PolicyRefused unless a job with these data sets may be submitted there."""
        self.decide(destination).require()
        self.require_clean([dataset for dataset in datasets if dataset], destination)

    def require_clean(self, datasets: Sequence[Dataset], destination: Destination) -> None:
        """Scan for secrets and personal data where a rule asks for that.

        Raises:
            PolicyRefused: naming kinds and lines, never a value.
        """
        rule = self.policy.scan_rule(self.label.privacy)
        if rule is None or not destination.leaves:
            return
        for dataset in datasets:
            found = findings(dataset)
            if found:
                where = dataset.source.location
                raise PolicyRefused(
                    f"{where}: a policy wants data that leaves free of secrets and personal "
                    f"data; found {_named(found)}",
                    hint=f"replace them with `ftbridge redact {where} -o clean.jsonl` and use that",
                    where=rule,
                )

    def retention(self, planned: str | None = None) -> str | None:
        """How long training data may stay at the vendor after the end: the shortest known."""
        return shortest([planned, self.policy.retention()])

    def warnings(self, provider: Provider) -> list[str]:
        """What a person should know before the data leaves."""
        notes = list(self.label.notes)
        if not provider.leaves:
            return notes
        privacy = self.label.privacy
        if not self.policy.rules:
            notes.append(
                f"no policy file: data labelled {privacy} goes to {provider.endpoint} "
                "(`ftbridge policy show`)"
            )
        retention = self.retention()
        if not provider.supports("purge"):
            notes.append(f"training data cannot be deleted there: {provider.absent['purge']}")
        elif retention is not None:
            notes.append(
                f"its training data is deleted there {retention} after the end, by the next "
                "`ftbridge watch`"
            )
        if privacy.rank >= Privacy.CONFIDENTIAL.rank:
            notes += _sensitive(provider)
        return notes


def cleared(plan: Plan, provider: Provider, job_id: str) -> Clearance:
    """Label and policy of a job as they are now: either may have become stricter since its plan.

    Raises:
        PolicyRefused: where the job may not go on; the job itself is left as it is.
    """
    clearance = Clearance.of_plan(plan)
    refs = [ref for ref in (plan.spec.training, plan.spec.validation) if ref]
    try:
        clearance.require(provider.destination, [Dataset(ref.path) for ref in refs])
    except PolicyRefused as error:
        way = f"give the job up with `ftbridge cancel {job_id}`"
        error.hint = f"{error.hint}, or {way}" if error.hint else way
        raise
    return clearance


def findings(dataset: Dataset) -> list[Finding]:
    """Secrets and personal data by kind and line. Reads the whole file."""
    # numpy comes with these
    from ftbridge.dataset.quality.batch import batches
    from ftbridge.dataset.quality.private import Private

    private = Private()
    for batch in batches(dataset.examples()):
        private.look(batch)
    return private.findings()


def _sensitive(provider: Provider) -> list[str]:
    """What matters for confidential data: where it is kept, and whether the model can go."""
    notes = []
    residency = provider.catalogue().residency
    if residency is not None:
        notes.append(f"{residency.message} (source: {residency.source}, seen {residency.as_of})")
    elif provider.region is None:
        notes.append(f"{provider.name} names no region in which the data stays")
    if not provider.supports("delete_model"):
        sentence = provider.absent["delete_model"]
        notes.append(f"the tuned model cannot be deleted there by ftbridge: {sentence}")
    return notes


def _named(found: Sequence[Finding]) -> str:
    return ", ".join(
        f"{item.code} ({item.count} {'example' if item.count == 1 else 'examples'}, first on "
        f"line {item.lines[0]})"
        for item in found
    )


def _folders(data: Sequence[str | Path]) -> list[Path]:
    """The folders of local files, and of what links among them point at."""
    local = [Path(item).expanduser() for item in data if "://" not in str(item)]
    found = [path for item in local for path in (item.absolute().parent, item.resolve().parent)]
    return list(dict.fromkeys(found))
