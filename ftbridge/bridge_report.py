"""What the library's front door says of jobs in whole: the report of one, the overview of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ftbridge.cost.prices import PriceBook
from ftbridge.cost.reconcile import job_cost
from ftbridge.errors import UsageError
from ftbridge.job import Job
from ftbridge.jobs.ledger import Ledger
from ftbridge.provider import Provider

if TYPE_CHECKING:
    from ftbridge.jobs.ledger import JobRow
    from ftbridge.jobs.ledger.deployments import DeploymentRow
    from ftbridge.report.parts import Report


class BridgeReport:
    """The part of :class:`ftbridge.Bridge` that puts together what became of jobs."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        @property
        def prices(self) -> PriceBook: ...

        def job(self, reference: str) -> Job: ...

        def provider_of(self, row: JobRow) -> Provider: ...

    def report(
        self,
        job: str,
        *,
        examples: bool | None = None,
        months: int | None = None,
        calls_per_month: int | None = None,
    ) -> str:
        """What became of a job, as one self-contained HTML page; see :meth:`job_report`."""
        from ftbridge.report.page import page

        found = self.job_report(
            job, examples=examples, months=months, calls_per_month=calls_per_month
        )
        return page(found)

    def job_report(
        self,
        job: str,
        *,
        examples: bool | None = None,
        months: int | None = None,
        calls_per_month: int | None = None,
    ) -> Report:
        """What became of a job: data, plan and bill, curves, evaluations, cost over months.

        Args:
            examples: show some rows of the newest evaluation. None: those of public data only;
                True: of internal data too. Rows of stricter labels are never shown.
            months: how long the tuned model's use is priced (12).
            calls_per_month: how often it is asked; three volumes by default.

        Raises:
            UsageError: where there is no such job, or no such horizon.
        """
        from ftbridge.cost.horizon import wanted
        from ftbridge.report.job_report import Known, job_report
        from ftbridge.report.money import MONTHS, VOLUMES, Outlook
        from ftbridge.report.rows import Showing

        if calls_per_month is not None and calls_per_month < 1:
            raise UsageError(f"{calls_per_month} calls a month show nothing", hint="1 or more")
        wanted(months, calls_per_month or 1, None, None)
        found = self.job(job)
        deployed = [each for each in self.ledger.deployments.all() if each.job_id == found.id]
        known = Known(
            evaluations=self.ledger.evaluations.of_job(found.id),
            cost=job_cost(found.row, deployed),
            provider=lambda: self.provider_of(found.row),
            book=self.prices,
            showing=Showing(self.ledger.evaluations, found.plan.spec.privacy, examples),
            outlook=Outlook(
                MONTHS if months is None else months,
                (calls_per_month,) if calls_per_month else VOLUMES,
            ),
        )
        return job_report(found, known)

    def overview(self, jobs: Sequence[Job]) -> str:
        """Some jobs on one self-contained HTML page: states, money by month, verdicts."""
        from ftbridge.report.jobs_report import jobs_report
        from ftbridge.report.page import page

        deployed: dict[str | None, list[DeploymentRow]] = {}
        for item in self.ledger.deployments.all():
            deployed.setdefault(item.job_id, []).append(item)
        costs = [job_cost(job.row, deployed.get(job.id, ())) for job in jobs]
        verdicts = {
            job.id: found
            for job in jobs
            if job.model and (found := self.ledger.evaluations.latest(job.id))
        }
        serving = self.ledger.deployments.serving()
        return page(jobs_report(jobs, costs, verdicts, serving))
