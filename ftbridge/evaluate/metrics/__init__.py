"""The metrics, one small module a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ftbridge.errors import UsageError
from ftbridge.evaluate.bench import Measure
from ftbridge.evaluate.metrics import calls, judge, likelihood, overlap, structured, text
from ftbridge.evaluate.metrics.custom import custom
from ftbridge.evaluate.metrics.metric import Metric, Settings

__all__ = ["METRICS", "Measure", "Metric", "Settings", "load"]

METRICS: Mapping[str, Callable[[Settings], Measure]] = {
    "exact_match": text.exact_match,
    "normalized_match": text.normalized_match,
    "number_match": text.number_match,
    "regex": text.regex,
    "json_valid": structured.json_valid,
    "schema_valid": structured.schema_valid,
    "field_f1": structured.field_f1,
    "tool_call": calls.tool_call,
    "tool_name": calls.tool_name,
    "chrf": overlap.chrf,
    "rouge_l": overlap.rouge_l,
    "judge": judge.judge,
    "log_likelihood": likelihood.log_likelihood,
}
"""Name -> its maker."""


def load(name: str, settings: Settings) -> Measure:
    """A metric by its name, or a function of the user's by ``module:function``.

    Raises:
        UsageError: for an unknown name, or where a setting that it needs is missing.
        NotInstalled: where its library is missing.
    """
    if ":" in name:
        return custom(name)
    if name not in METRICS:
        raise UsageError(
            f"no metric `{name}`",
            hint=f"one of {', '.join(METRICS)}, or module:function",
            where="metric",
        )
    return METRICS[name](settings)
