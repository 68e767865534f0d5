"""What the policy answers about data, a place or a job, with the reasons, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ftbridge.dataset import Dataset, Finding
from ftbridge.errors import FtbridgeError, PolicyRefused
from ftbridge.jobs.clearance import Clearance, findings
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.plan import Plan
from ftbridge.policy import Policy, layers
from ftbridge.provider import Provider


@dataclass(frozen=True)
class Verdict:
    """Whether some data may go to a place. ``scan`` is the rule that wants it scanned first."""

    privacy: str
    label: str
    provider: str
    account: str
    region: str | None
    endpoint: str
    leaves: bool
    allowed: bool
    rule: str
    message: str
    hint: str
    scan: str | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)

    def refusal(self) -> PolicyRefused:
        """The same as the error that a submit would end with."""
        return PolicyRefused(self.message, hint=self.hint, where=self.rule)


def verdict(clearance: Clearance, provider: Provider, datasets: Sequence[Dataset]) -> Verdict:
    """Ask everything that a submit would be asked, and say all of it.

    Raises:
        DataError: where a scan is wanted and a file cannot be read.
    """
    there = provider.destination
    decision = clearance.decide(there)
    allowed, rule, message, hint = decision.allowed, decision.rule, decision.message, ""
    scan = clearance.policy.scan_rule(clearance.label.privacy) if there.leaves else None
    found: list[Finding] = []
    if not allowed:
        hint = decision.hint
    elif scan is not None:
        found = [finding for dataset in datasets for finding in findings(dataset)]
        try:
            clearance.require_clean(datasets, there)
        except PolicyRefused as error:
            allowed, rule, message, hint = False, error.where, error.message, error.hint
    return Verdict(
        privacy=str(clearance.label.privacy),
        label=clearance.label.origin,
        provider=provider.name,
        account=there.account,
        region=there.region,
        endpoint=there.endpoint,
        leaves=there.leaves,
        allowed=allowed,
        rule=rule,
        message=message,
        hint=hint,
        scan=scan,
        findings=tuple(found),
        notes=tuple(clearance.warnings(provider)),
    )


def explain(row: JobRow, provider: Provider, ledger: Ledger) -> dict[str, Any]:
    """Why a job's data went where it went, what left, and what the policy would say today."""
    plan = Plan.model_validate_json(row.plan)
    clearance = Clearance.of_plan(plan)
    try:
        now = clearance.decide(provider.destination)
        today = {"allowed": now.allowed, "rule": now.rule, "message": now.message}
    except FtbridgeError as error:
        today = {"allowed": False, "rule": error.where, "message": error.message}
    return {
        "job": row.id,
        "provider": row.provider,
        "account": row.account,
        "region": row.region,
        "endpoint": plan.endpoint,
        "privacy": row.privacy,
        "label": plan.label,
        "rule": plan.rule,
        "policies": list(plan.policies),
        "retention": clearance.retention(plan.retention),
        "today": today,
        "egress": [entry.to_dict() for entry in ledger.egress.entries(job_id=row.id)],
    }


def describe(policy: Policy) -> dict[str, Any]:
    """A policy as JSON data: each file with its rules or its fault."""
    return {
        "machine": str(layers.MACHINE_FILE),
        "files": [
            {
                "path": str(layer.path),
                "machine": layer.machine,
                "policy": layer.rules.model_dump(mode="json") if layer.rules else None,
                "fault": layer.fault,
            }
            for layer in policy.layers
        ],
        "retention": policy.retention(),
        "may_submit": policy.may_submit().allowed,
        "default": {
            "restricted": "stays on this machine unless the machine's own policy names it",
            "other labels": "go anywhere that no rule forbids, with a notice",
        },
    }
