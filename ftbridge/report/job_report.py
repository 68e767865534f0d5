"""The report of one job: data, plan and bill, curves, evaluations, each with its tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftbridge import clock
from ftbridge.dataset import Dataset, check
from ftbridge.errors import FtbridgeError
from ftbridge.job import Job
from ftbridge.jobs.plan import Plan
from ftbridge.jobs.spec import DataRef
from ftbridge.pages import details, document, paragraph, section, table
from ftbridge.provider import RemoteMetric
from ftbridge.report.curve import Points, curve

CURVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Loss", ("loss", "train_loss", "valid_loss", "full_valid_loss")),
    ("Reward margin", ("reward_margin", "valid_reward_margin")),
    ("Share of pairs in the right order", ("reward_accuracy", "valid_reward_accuracy")),
    ("Reward", ("reward", "train_reward", "valid_reward")),
    ("Token accuracy", ("train_accuracy", "train_mean_token_accuracy", "valid_accuracy",
                        "valid_mean_token_accuracy")),
    ("Learning rate", ("learning_rate",)),
)  # fmt: skip
"""What is drawn together: names that vendors and the trainer give their values."""

ROWS_SHOWN = 200


def report(job: Job, evaluations: Sequence[Mapping[str, Any]]) -> str:
    """The whole page. No text of the data stands on it.

    Args:
        evaluations: results of evaluations of the job, newest first, as they were recorded.
    """
    plan = job.plan
    return document(
        f"Job {job.id}",
        [
            _summary(job, plan),
            *_evaluations(evaluations),
            _money(job, plan),
            *_curves(job.metrics()),
            _data("Training data", plan.spec.training),
            *([_data("Validation data", plan.spec.validation)] if plan.spec.validation else []),
            _settings(plan),
            _events(job),
            paragraph(f"Made by ftbridge on {clock.today()}.", "note"),
        ],
    )


def _summary(job: Job, plan: Plan) -> str:
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
    return section("The job", table(("", ""), shown, caption="What was asked for, what came of it"))


def _evaluations(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        yield section("Evaluation", paragraph("None yet: `ftbridge eval HELDOUT --model JOB`."))
    for result in found:
        kind = {"better": "ok", "worse": "bad"}.get(result["verdict"], "")
        yield section(
            f"Evaluation {result['evaluation']}",
            paragraph(f"{result['verdict']}, by {result['metric']} on {result['n']} rows", kind),
            table(
                ("metric", "baseline", "tuned", "difference", "p", "verdict"),
                [_compared(each) for each in result.get("metrics", [])],
                numbers=range(1, 5),
                caption=f"{result['tuned']['model']} against {result['baseline']['model']}; "
                "95 % intervals",
            ),
            *_labels(result.get("labels")),
        )


def _compared(each: Mapping[str, Any]) -> tuple[str, ...]:
    difference = each["difference"]
    shares = [f"{each[s]['value']:.1%} ({_span(each[s]['ci'])})" for s in ("baseline", "tuned")]
    change = f"{difference['value']:+.1%} ({_span(difference['ci'])})"
    return (each["metric"], *shares, change, f"{difference['p']:.2g}", each["verdict"])


def _span(ci: Sequence[float]) -> str:
    return f"{ci[0]:.1%} to {ci[1]:.1%}"


def _labels(labels: Mapping[str, Any] | None) -> Iterator[str]:
    """Labels are names of classes, chosen by the data's owner, and shown as such."""
    if labels:
        rows = [
            (each["label"], each["n"], f"{each['baseline']:.0%}", f"{each['tuned']:.0%}")
            for each in labels["classes"]
        ]
        heads = ("label", "rows", "baseline", "tuned")
        yield details(
            f"by label ({len(rows)})", table(heads, rows, numbers=(1, 2, 3), caption="By label")
        )


def _money(job: Job, plan: Plan) -> str:
    usd, row = plan.usd, job.row
    lines: list[tuple[Any, ...]] = [
        (line.name, _usd(line.low, line.high), line.formula,
         f"{line.evidence}, {line.source}", line.source_date, line.age)
        for line in usd.lines
    ]  # fmt: skip
    lines += [(name, "unknown", "", "", "", "") for name in usd.unknown]
    billed = None if row.billed_micro is None else f"{row.billed_micro / 1e6:.2f}"
    if not plan.bills:
        said = "Nobody sends a bill: the machine is ours."
    else:
        said = f"Estimate {_usd(usd.low, usd.high)} USD; billed: {billed or 'not known'}"
        said += "" if billed is None else " USD"
    tokens = f"{plan.tokens.low:,}" + (
        "" if plan.tokens.low == plan.tokens.high else f" to {plan.tokens.high:,}"
    )
    known = "not known" if row.billed_tokens is None else f"{row.billed_tokens:,}"
    return section(
        "Cost",
        paragraph(said),
        paragraph(
            f"Tokens of the file: {tokens} ({plan.tokens.grade}) x {plan.tokens.n_epochs} epochs; "
            f"billed tokens: {known}.", "note",
        ),
        table(("part", "USD", "formula", "source", "of", "age"), lines, numbers=(1,),
              caption="The estimate's lines"),
    )  # fmt: skip


def _usd(low: Any, high: Any) -> str:
    if high is None:
        return "unknown"
    return f"{high:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def _curves(metrics: Sequence[RemoteMetric]) -> Iterator[str]:
    if not metrics:
        yield section("Curves", paragraph("The provider has given no measured values."))
        return
    found: dict[str, list[tuple[int, float]]] = {}
    for metric in sorted(metrics, key=lambda each: each.step):
        if math.isfinite(metric.value):
            found.setdefault(metric.name, []).append((metric.step, metric.value))
    for title, names in CURVES:
        series = {name: found[name] for name in names if name in found}
        if series:
            yield section(title, curve(series, f"{title} over steps"), _values(series, title))


def _values(series: Mapping[str, Points], title: str) -> str:
    steps = sorted({step for points in series.values() for step, _ in points})
    every = max(1, math.ceil(len(steps) / ROWS_SHOWN))
    chosen = sorted({*steps[::every], steps[-1]})
    columns = [dict(points) for points in series.values()]
    rows = [
        (step, *("" if step not in column else f"{column[step]:.6g}" for column in columns))
        for step in chosen
    ]
    said = "" if every == 1 else f", every {every}th step"
    heads = ("step", *series)
    body = table(heads, rows, numbers=range(len(heads)), caption=f"{title}{said}")
    return details("the values", body)


def _data(title: str, ref: DataRef) -> str:
    facts = [
        ("file", ref.path),
        ("sha256", ref.sha256),
        ("kind", ref.kind),
        ("examples", f"{ref.examples:,}"),
        ("bytes", f"{ref.bytes:,}"),
    ]
    return section(title, table(("", ""), facts, caption="The file that was read"), *_quality(ref))


def _quality(ref: DataRef) -> Iterator[str]:
    """The judgement of ``check``, made now, where the file is what it was."""
    dataset = Dataset(ref.path)
    try:
        if dataset.sha256 != ref.sha256:
            yield paragraph("The file has changed since: its quality is not judged.", "note")
            return
        found = check(dataset)
    except FtbridgeError:
        yield paragraph("The file cannot be read any more: its quality is not judged.", "note")
        return
    rows = [
        (each.code, each.count, ", ".join(map(str, each.lines)), each.message)
        for each in found.warnings
    ]
    if rows:
        heads = ("finding", "count", "first lines", "what it does, what to do")
        yield table(heads, rows, numbers=(1,), caption="Findings")
    yield paragraph(found.advice)


def _settings(plan: Plan) -> str:
    rows = [(name, each.value, each.origin) for name, each in sorted(plan.settings.items())]
    return section(
        "Settings", table(("name", "value", "from"), rows, caption="Every value and its origin")
    )


def _events(job: Job) -> str:
    rows = [(event.time, event.level, event.step, event.message) for _, event in job.events()]
    if not rows:
        return section("Events", paragraph("None."))
    shown = table(("time", "level", "step", "message"), rows[-ROWS_SHOWN:], caption="Events")
    return section("Events", details(f"{len(rows)} events", shown))
