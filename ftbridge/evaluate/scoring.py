"""From two models' replies to numbers: a metric's comparison, and a table of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ftbridge.evaluate import statistics
from ftbridge.evaluate.bench import Measure, Scores
from ftbridge.evaluate.result import Comparison, Label, Labels, Share
from ftbridge.evaluate.rows import Row, label_set
from ftbridge.provider import ChatReply

SHOWN_CONFUSIONS = 20


def compare(measure: Measure, scores: Scores) -> Comparison:
    """The scores of baseline and tuned model by one measure, paired by row."""
    differences = [b - a for a, b in zip(scores.baseline, scores.tuned, strict=True)]
    up, down = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    difference = sum(differences) / len(differences)
    p = statistics.sign_test(up, down)
    return Comparison(
        metric=measure.name,
        baseline=share(scores.baseline, measure.exact),
        tuned=share(scores.tuned, measure.exact),
        difference=difference,
        difference_ci=statistics.bootstrap(differences),
        p=p,
        test="mcnemar" if measure.exact else "sign",
        minimum_detectable=statistics.minimum_detectable(
            differences, 1.0 if measure.unit == "share" else None
        ),
        verdict=statistics.verdict(difference, p, up - down),
        unit=measure.unit,
        detail=scores.detail,
    )


def share(scores: Sequence[float], exact: bool) -> Share:
    """Their mean with its interval; ``exact``: each is 0 or 1."""
    n = len(scores)
    wilson = statistics.wilson(round(sum(scores)), n) if exact else None
    return Share(sum(scores) / n, wilson or statistics.bootstrap(scores))


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
