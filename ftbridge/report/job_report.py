"""The report of one job: data, plan and bill, curves, evaluations, each with its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftbridge.cost.prices import PriceBook
from ftbridge.cost.reconcile import JobCost
from ftbridge.dataset import Dataset, check
from ftbridge.errors import FtbridgeError
from ftbridge.job import Job
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import DataRef
from ftbridge.provider import Provider
from ftbridge.report import evaluations, money
from ftbridge.report.curves import charts
from ftbridge.report.forgetting import forgetting
from ftbridge.report.money import Outlook
from ftbridge.report.parts import ROWS_SHOWN, Part, Report, Section, Table, Text
from ftbridge.report.rows import Showing


@dataclass(frozen=True)
class Known:
    """What a report is made of, besides the job: results of its evaluations (newest first), its
    cost, its provider, prices, and what may be shown."""

    evaluations: Sequence[Mapping[str, Any]]
    cost: JobCost
    provider: Callable[[], Provider]
    book: PriceBook
    showing: Showing
    outlook: Outlook


def job_report(job: Job, known: Known) -> Report:
    """All of it. Texts of the data stand in it only where their label consents."""
    plan, spec = job.plan, job.plan.spec
    return Report(
        f"Job {job.id}",
        [
            _summary(job, plan),
            *evaluations.sections(known.evaluations, known.showing),
            forgetting(known.evaluations),
            money.paid(job.row, plan, known.cost),
            money.over_months(known.provider, plan, known.cost, known.book, known.outlook),
            *_curves(job),
            _data("Training data", spec.training),
            *([_data("Validation data", spec.validation)] if spec.validation else []),
            _settings(plan),
            _events(job),
        ],
    )


def _summary(job: Job, plan: Plan) -> Section:
    row, spec = job.row, plan.spec
    error = (row.error or {}).get("message") if row.error else None
    facts = [
        ("state", f"{row.state} ({row.raw_state})" if row.raw_state else row.state),
        ("provider", f"{row.provider}, {plan.endpoint}"),
        ("base model", row.model),
        ("method", f"{row.method}, {row.adapter}"),
        ("tuned model", row.result_model),
        ("error", error),
        ("data label", spec.privacy),
        ("made of", row.parent_job),
        ("created", row.created_at),
        ("ended", row.finished_at),
        ("key", row.key),
    ]
    shown = [fact for fact in facts if fact[1] is not None]
    return Section("The job", [Table(("", ""), shown, "What was asked for, what came of it")])


def _curves(job: Job) -> Iterator[Section]:
    metrics = job.metrics()
    if not metrics:
        yield Section("Curves", [Text("The provider has given no measured values.")])
    for chart in charts(metrics):
        yield Section(chart.title, [chart])


def _data(title: str, ref: DataRef) -> Section:
    facts = [
        ("file", ref.path),
        ("sha256", ref.sha256),
        ("kind", ref.kind),
        ("examples", f"{ref.examples:,}"),
        ("bytes", f"{ref.bytes:,}"),
    ]
    return Section(
        title, [Table(("", ""), facts, f"{title}: the file that was read"), *_quality(title, ref)]
    )


def _quality(title: str, ref: DataRef) -> Iterator[Part]:
    """The judgement of ``check``, made now, where the file is what it was."""
    dataset = Dataset(ref.path)
    try:
        if dataset.sha256 != ref.sha256:
            yield Text("The file has changed since: its quality is not judged.", "note")
            return
        found = check(dataset)
    except FtbridgeError:
        yield Text("The file cannot be read any more: its quality is not judged.", "note")
        return
    rows = [
        (each.code, each.count, ", ".join(map(str, each.lines)), each.message)
        for each in found.warnings
    ]
    if rows:
        heads = ("finding", "count", "first lines", "what it does, what to do")
        yield Table(heads, rows, f"{title}: findings", (1,))
    yield Text(found.advice)


def _settings(plan: Plan) -> Section:
    rows = [(name, each.value, each.origin) for name, each in sorted(plan.settings.items())]
    return Section("Settings", [Table(("name", "value", "from"), rows, "Every value, its origin")])


def _events(job: Job) -> Section:
    rows = [(event.time, event.level, event.step, event.message) for _, event in job.events()]
    if not rows:
        return Section("Events", [Text("None.")])
    heads = ("time", "level", "step", "message")
    shown = Table(heads, rows[-ROWS_SHOWN:], "Events", folded=f"{len(rows)} events")
    return Section("Events", [shown])
