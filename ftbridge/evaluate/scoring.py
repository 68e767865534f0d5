"""From two models' replies to numbers: a metric's comparison, and a table of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ftbridge.evaluate import statistics
from ftbridge.evaluate.metrics import Metric
from ftbridge.evaluate.result import Comparison, Label, Labels, Share
from ftbridge.evaluate.rows import Row, label_set
from ftbridge.provider import ChatReply

SHOWN_CONFUSIONS = 20


def scored(metric: Metric, rows: Sequence[Row], replies: Sequence[ChatReply]) -> list[float]:
    """What each answer scores."""
    return [metric.score(row, reply) for row, reply in zip(rows, replies, strict=True)]


def compare(metric: Metric, before: Sequence[float], after: Sequence[float]) -> Comparison:
    """The scores of baseline and tuned model by one metric, paired by row."""
    differences = [b - a for a, b in zip(before, after, strict=True)]
    up, down = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    difference = sum(differences) / len(differences)
    p = statistics.sign_test(up, down)
    return Comparison(
        metric=metric.name,
        baseline=_share(before, metric),
        tuned=_share(after, metric),
        difference=difference,
        difference_ci=statistics.bootstrap(differences),
        p=p,
        test="mcnemar" if metric.exact else "sign",
        minimum_detectable=statistics.minimum_detectable(differences),
        verdict=statistics.verdict(difference, p, up - down),
    )


def _share(scores: Sequence[float], metric: Metric) -> Share:
    n = len(scores)
    exact = statistics.wilson(round(sum(scores)), n) if metric.exact else None
    return Share(sum(scores) / n, exact or statistics.bootstrap(scores))


def labels(
    rows: Sequence[Row], base: Sequence[ChatReply], tuned: Sequence[ChatReply]
) -> Labels | None:
    """Each label's share of right answers, and which label was taken for which by the tuned model.

    None where the references are free text.
    """
    known = label_set(rows)
    if known is None:
        return None
    of = Counter(row.reference.strip() for row in rows)
    right = [_right(rows, replies) for replies in (base, tuned)]
    answers = [
        (row.reference.strip(), reply.text.strip()) for row, reply in zip(rows, tuned, strict=True)
    ]
    taken = Counter(
        (wanted, said if said in known else None) for wanted, said in answers if said != wanted
    )
    return Labels(
        classes=tuple(
            Label(name, n, right[0][name] / n, right[1][name] / n) for name, n in sorted(of.items())
        ),
        confusion=tuple(
            (wanted, said, count) for (wanted, said), count in taken.most_common(SHOWN_CONFUSIONS)
        ),
        known=tuple(
            sum(reply.text.strip() in known for reply in replies) / len(replies)
            for replies in (base, tuned)
        ),
    )


def _right(rows: Sequence[Row], replies: Sequence[ChatReply]) -> Counter[str]:
    return Counter(
        row.reference.strip()
        for row, reply in zip(rows, replies, strict=True)
        if reply.text.strip() == row.reference.strip()
    )
