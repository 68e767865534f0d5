"""What the library's front door says of data that leaves: labels, rules, the account, recall."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import arguments, registry
from ftbridge.config import Config
from ftbridge.dataset import Dataset
from ftbridge.jobs import purging, verdict
from ftbridge.jobs.clearance import Clearance
from ftbridge.jobs.ledger import JobRow, Ledger
from ftbridge.jobs.ledger.egress import Entry, Verification
from ftbridge.policy import Policy, Privacy
from ftbridge.provider import Check, Provider

if TYPE_CHECKING:
    from ftbridge.job import Job


class BridgePolicy:
    """The part of :class:`ftbridge.Bridge` that knows where data may go and has gone."""

    config: Config

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def provider_of(self, row: JobRow) -> Provider: ...

        def _reach(
            self, name: str, options: Mapping[str, str], base_url: str | None
        ) -> tuple[Provider, dict[str, str], dict[str, str]]: ...

    def describe_policy(self) -> dict[str, Any]:
        """The policy in force for the working folder, as JSON data."""
        return verdict.describe(Policy.in_force())

    def check_policy(
        self,
        data: str | Path,
        *,
        provider: str,
        privacy: str | None = None,
        validation: str | Path | None = None,
        options: Mapping[str, str] | None = None,
        base_url: str | None = None,
    ) -> verdict.Verdict:
        """Whether some data may go to a provider, and by which rule; sends nothing.

        Raises:
            UsageError: for an unknown provider or label.
            DataError: where a scan is wanted and a file cannot be read.
        """
        clearance = self._clearance(data, privacy, validation)
        place, _, _ = self._reach(provider, options or {}, base_url)
        files = [Dataset(item) for item in (data, validation) if item is not None]
        return verdict.verdict(clearance, place, files)

    def home_checks(self) -> list[Check]:
        """Whether others on this machine could read the home, and the policy files in force."""
        home = self.config.home
        checks = [Check("home", True, f"{home} is made on first use")]
        if home.exists():
            open_to = stat.S_IMODE(home.stat().st_mode) & 0o077
            message = f"{home} can be read by others" if open_to else f"only its owner reads {home}"
            checks = [Check("home", not open_to, message, f"chmod 700 {home}" if open_to else "")]
        for layer in Policy.in_force().layers:
            if layer.rules is not None or layer.fault:
                message = layer.fault or f"{layer.path} is followed"
                checks.append(
                    Check("policy", not layer.fault, message, "correct it" if layer.fault else "")
                )
        return checks

    def egress(self, job: str | None = None) -> Iterator[Entry]:
        """The account of what left this machine, oldest first; of one job, or all."""
        job_id = None if job is None else self.ledger.jobs.get(job).id
        return self.ledger.egress.entries(job_id=job_id)

    def verify_egress(self, head: str | None = None) -> Verification:
        """Recompute the account's chain; ``head`` is a hash noted down earlier."""
        return self.ledger.egress.verify(lambda name: registry.load(name).leaves, head)

    def export_egress(self, out: Path) -> tuple[int, str]:
        """Write the account as JSON lines; returns how many, and the hash of the last."""
        return self.ledger.egress.export(out)

    def purge_overdue(self, jobs: Sequence[Job] | None = None) -> list[str]:
        """Purge ended jobs whose data has been at its vendor for longer than the policy allows.

        Args:
            jobs: look at these alone.

        Returns:
            What was deleted or could not be, as sentences.
        """
        ids = set(self.ledger.uploads.left_behind())
        if jobs is not None:
            ids &= {job.id for job in jobs}
        rows = [self.ledger.jobs.get(job_id) for job_id in sorted(ids)]
        return purging.sweep(rows, self.provider_of, self.ledger, self.config.home)

    def _clearance(
        self,
        data: Dataset | str | Path,
        privacy: str | None,
        validation: str | Path | float | None = None,
    ) -> Clearance:
        """The label of some files, and the policy in force for them.

        Raises:
            PolicyRefused: where a policy file cannot be followed, before anything else is read of
                it: the same file may hold settings.
        """
        asked = None if privacy is None else arguments.choice(Privacy, privacy, "privacy")
        files = [data.source.location if isinstance(data, Dataset) else str(data)]
        if validation is not None and arguments.share(validation) is None:
            files.append(str(validation))
        clearance = Clearance.of(files, asked)
        clearance.policy.require_followed()
        return clearance
