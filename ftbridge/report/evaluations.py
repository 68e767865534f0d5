"""Evaluations of a job as sections: intervals, labels, what was forgotten, rows side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftbridge.report.parts import Interval, Intervals, Part, Section, Table, Text
from ftbridge.report.rows import Showing, side_by_side

HEADS = ("metric", "baseline", "tuned", "difference", "p", "verdict")


def sections(found: Sequence[Mapping[str, Any]], showing: Showing) -> Iterator[Section]:
    """One for each evaluation, newest first, as they were recorded; rows of the newest alone."""
    if not found:
        yield Section("Evaluation", [Text("None yet: `ftbridge eval HELDOUT --model JOB`.")])
    for place, result in enumerate(found):
        yield _evaluation(result)
        if place == 0:
            yield Section("Examples side by side", side_by_side(result.get("sample"), showing))


def _evaluation(result: Mapping[str, Any]) -> Section:
    kind = {"better": "ok", "worse": "bad"}.get(result["verdict"], "")
    metrics = result.get("metrics", [])
    parts: list[Part] = [
        Text(f"{result['verdict']}, by {result['metric']} on {result['n']} rows", kind),
        Table(
            HEADS,
            [_compared(each) for each in metrics],
            f"{result['tuned']['model']} against {result['baseline']['model']}; 95 % intervals",
            range(1, 5),
        ),
    ]
    shares = [each for each in metrics if _is_share(each)]
    if rows := [row for each in shares for row in _intervals(each)]:
        parts.append(Intervals(f"Shares with 95 % intervals, {result['n']} rows", rows))
    if "minimum_detectable" in result:
        least = _amount(metrics[0] if metrics else {}, result["minimum_detectable"])
        parts.append(Text(f"So many rows show a difference of {least} 8 times in 10.", "note"))
    parts += [*_drift(result.get("drift")), *_asked(result), *_labels(result.get("labels"))]
    return Section(f"Evaluation {result['evaluation']}", parts)


def _drift(drift: Mapping[str, Any] | None) -> Iterator[Part]:
    """Fresh rows against those of the evaluation before, where that was asked."""
    if drift:
        kind = "bad" if drift["verdict"] == "worse" else ""
        against = f"{drift['evaluation']} on {drift['n_before']} rows"
        yield Text(f"Against {against}: {drift['verdict']}. {drift['advice']}", kind)
        rows = [
            (name, f"{side['before']:.1%}", f"{side['now']:.1%}",
             f"{side['change']['value']:+.1%} ({side['change']['ci'][0]:.1%} to "
             f"{side['change']['ci'][1]:.1%})", f"{side['change']['p']:.2g}", side["verdict"])
            for name, side in (("tuned", drift["tuned"]), ("baseline", drift["baseline"]))
        ]  # fmt: skip
        heads = ("model", "before", "now", "change", "p", "verdict")
        yield Table(heads, rows, f"Drift, by {drift['metric']}", range(1, 5))


def _compared(each: Mapping[str, Any]) -> tuple[str, ...]:
    difference = each["difference"]
    sides = [
        f"{_amount(each, each[side]['value'])} ({_span(each, each[side]['ci'])})"
        for side in ("baseline", "tuned")
    ]
    change = f"{_amount(each, difference['value'], '+')} ({_span(each, difference['ci'])})"
    unit = "" if _is_share(each) else f", {each['unit']}"
    return (each["metric"] + unit, *sides, change, f"{difference['p']:.2g}", each["verdict"])


def _is_share(each: Mapping[str, Any]) -> bool:
    """Whether a metric gives shares; results of before that was kept are all shares."""
    return bool(each.get("unit", "share") == "share")


def _amount(each: Mapping[str, Any], value: float, sign: str = "") -> str:
    return format(value, f"{sign}.1%" if _is_share(each) else f"{sign}.4g")


def _span(each: Mapping[str, Any], ci: Sequence[float]) -> str:
    return f"{_amount(each, ci[0])} to {_amount(each, ci[1])}"


def _intervals(each: Mapping[str, Any]) -> Iterator[Interval]:
    for side in ("baseline", "tuned"):
        low, high = each[side]["ci"]
        yield Interval(f"{each['metric']}: {side}", each[side]["value"], low, high)


def _asked(result: Mapping[str, Any]) -> Iterator[Table]:
    """What the calls took, where that was recorded."""
    sides = [(name, result[name]) for name in ("baseline", "tuned")]
    if all("prompt_tokens" in side for _, side in sides):
        yield Table(
            ("", "model", "prompt tokens", "answer tokens", "median seconds a call", "USD a call"),
            [
                (name, side["model"], f"{side['prompt_tokens']:,}",
                 f"{side['completion_tokens']:,}", f"{side['seconds']:.2f}", _usd(side))
                for name, side in sides
            ],
            "What asking took",
            range(2, 6),
        )  # fmt: skip


def _usd(side: Mapping[str, Any]) -> str:
    """What a call cost by the price of then; results of before that was kept do not say."""
    usd = side.get("usd_per_call")
    return "unknown" if usd is None else f"{usd:.2g}"


def _labels(labels: Mapping[str, Any] | None) -> Iterator[Table]:
    """Labels are names of classes, chosen by the data's owner, and shown as such."""
    if labels:
        rows = [
            (each["label"], each["n"], f"{each['baseline']:.0%}", f"{each['tuned']:.0%}")
            for each in labels["classes"]
        ]
        heads = ("label", "rows", "baseline", "tuned")
        yield Table(heads, rows, "By label", (1, 2, 3), folded=f"by label ({len(rows)})")
        if taken := labels.get("confusion"):
            yield Table(
                ("label", "tuned model said", "rows"),
                [(each["reference"], each["answer"] or "(no label)", each["count"])
                 for each in taken],
                "Taken for another", (2,), folded=f"confusions ({len(taken)})",
            )  # fmt: skip
