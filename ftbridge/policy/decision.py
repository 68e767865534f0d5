"""The policy in force and its answers. Every file can only narrow what the others allow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ftbridge.errors import PolicyRefused
from ftbridge.policy import layers
from ftbridge.policy.labels import Privacy
from ftbridge.policy.layers import Layer, duration
from ftbridge.policy.transport import in_the_clear
from ftbridge.project import present, project_files

STAY_HERE = "use `--provider local`, which never sends it"
LOOK = "see the rules with `ftbridge policy show`"


@dataclass(frozen=True)
class Destination:
    """Where data would go. ``leaves`` is False only where it stays on this machine."""

    provider: str
    account: str
    region: str | None
    endpoint: str
    leaves: bool


@dataclass(frozen=True)
class Decision:
    """The policy's answer, with the rule that gave it."""

    allowed: bool
    rule: str
    message: str
    hint: str = STAY_HERE

    def require(self) -> None:
        """Raise PolicyRefused unless allowed."""
        if not self.allowed:
            raise PolicyRefused(self.message, hint=self.hint, where=self.rule)


@dataclass(frozen=True)
class Policy:
    """All files that are in force together, the machine's first."""

    layers: tuple[Layer, ...] = ()

    @classmethod
    def in_force(
        cls,
        folders: Sequence[Path] = (),
        *,
        recorded: Sequence[Path] = (),
        machine: Path | None = None,
    ) -> Policy:
        """The machine's policy with every ``ftbridge.toml`` in and above some folders.

        Args:
            folders: the working folder if left out; that of the data belongs to it too.
            recorded: files that held when a job was planned; one that has gone denies.
            machine: another file than ``/etc/ftbridge/policy.toml``, for tests.
        """
        found: dict[Path, Layer] = {}
        whole = layers.MACHINE_FILE if machine is None else machine
        if present(whole):
            found[whole] = layers.load(whole, machine=True)
        for folder in folders or (Path.cwd(),):
            for path in project_files(folder):
                found.setdefault(path, layers.load(path, machine=False))
        for path in recorded:
            found.setdefault(path, layers.load(path, machine=False))
        return cls(tuple(found.values()))

    @property
    def rules(self) -> list[Layer]:
        """The layers that have a ``[policy]``."""
        return [layer for layer in self.layers if layer.rules is not None]

    @property
    def files(self) -> list[Path]:
        """The files of projects that say something, for a job to remember."""
        said = [layer for layer in self.layers if not layer.machine]
        return [layer.path for layer in said if layer.rules is not None or layer.fault]

    @property
    def settings(self) -> list[Path]:
        """Every file that may label data."""
        return [layer.path for layer in self.layers]

    def decide(self, privacy: Privacy, destination: Destination) -> Decision:
        """Whether data of this label may go there."""
        if fault := self._fault():
            return fault
        if not destination.leaves:
            message = f"data labelled {privacy} goes nowhere: it stays here"
            return Decision(True, "default.stays-here", message)
        if in_the_clear(destination.endpoint):
            return Decision(
                False,
                "default.tls-only",
                f"{destination.endpoint} is not encrypted: data, key and answers could be read "
                "on the way",
                "use an https:// address; plain http is for this machine alone (127.0.0.1)",
            )
        allowed = Decision(
            True, "default.allow", f"data labelled {privacy} goes to {destination.endpoint}"
        )
        if privacy is Privacy.RESTRICTED and not self._machine_names(privacy):
            message = f"data labelled restricted may not be sent to {destination.provider}"
            return Decision(False, "default.restricted-stays-here", message)
        for layer in self.rules:
            answer = _ask(layer, privacy, destination)
            if answer is not None and not answer.allowed:
                return answer
            allowed = answer or allowed
        return allowed

    def may_submit(self) -> Decision:
        """Whether the user of this process may start jobs. Asked of the system, not of a
        variable."""
        if fault := self._fault():
            return fault
        name = user()
        for layer in self.rules:
            names = layer.rules.submitters if layer.rules else None
            if names is not None and name not in names:
                return Decision(
                    False,
                    f"{layer.title}:policy.submitters",
                    f"{name} may not submit jobs; {layer.path} names who may",
                    LOOK,
                )
        return Decision(True, "default.anybody", f"{name} may submit jobs")

    def scan_rule(self, privacy: Privacy) -> str | None:
        """The rule that wants data of this label scanned before it leaves, if one does."""
        for layer in self.rules:
            if layer.rules and layer.rules.scans(privacy):
                return f"{layer.title}:policy.scan"
        return None

    def retention(self) -> str | None:
        """The shortest of the times that training data may stay at a vendor after the end."""
        times = [layer.rules.retention for layer in self.rules if layer.rules]
        return shortest(times)

    def require_followed(self) -> None:
        """Raise PolicyRefused where one of the files cannot be read or followed."""
        if fault := self._fault():
            fault.require()

    def _machine_names(self, privacy: Privacy) -> bool:
        """Whether the machine's own file speaks of this label: only it can let restricted go."""
        return any(
            privacy in row.labels
            for layer in self.rules
            if layer.machine and layer.rules
            for row in layer.rules.allow
        )

    def _fault(self) -> Decision | None:
        for layer in self.layers:
            if layer.fault:
                return Decision(
                    False,
                    "default.unreadable-policy",
                    f"{layer.fault}; while a policy cannot be followed nothing may be sent",
                    "correct that file",
                )
        return None


def decide(privacy: Privacy, destination: Destination, policy: Policy | None = None) -> Decision:
    """Whether data of this label may go there, by a policy or by the one in force here."""
    return (policy or Policy.in_force()).decide(privacy, destination)


def shortest(times: Sequence[str | None]) -> str | None:
    """The shortest of some times; None where there is none."""
    given = [time for time in times if time is not None]
    return min(given, key=duration, default=None)


def user() -> str:
    """The name of the user of this process, from the system's list of users."""
    if os.name != "posix":
        return "unknown"
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"


def _ask(layer: Layer, privacy: Privacy, there: Destination) -> Decision | None:
    """What one file says; None where it leaves the label to the others."""
    rules = layer.rules
    if rules is None:
        return None
    misfits = []
    for number, row in enumerate(rules.allow, 1):
        if privacy not in row.labels:
            continue
        rule = f"{layer.title}:policy.allow.{row.name or number}"
        misfit = row.misfit(there.provider, there.account, there.region)
        if not misfit:
            return Decision(True, rule, f"data labelled {privacy} goes to {there.endpoint}")
        misfits.append((rule, misfit))
    if not misfits:
        if rules.default == "allow":
            return None
        rule = f"{layer.title}:policy.default"
        message = f"data labelled {privacy} may not be sent anywhere: {layer.path} denies the rest"
        return Decision(False, rule, message)
    rule, misfit = misfits[0]
    more = f" (and {len(misfits) - 1} more rules)" if len(misfits) > 1 else ""
    return Decision(
        False,
        rule,
        f"data labelled {privacy} may not be sent to {there.provider}: {layer.path} allows only "
        f"{misfit}{more}",
        f"choose a place that fits, or {STAY_HERE}",
    )
