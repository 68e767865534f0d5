"""Metrics of free text by overlap, from the field's own libraries."""

from __future__ import annotations

from ftbridge.errors import NotInstalled
from ftbridge.evaluate.metrics.metric import Metric, Settings


def chrf(settings: Settings) -> Metric:
    """chrF of each answer (sacrebleu's sentence score, 0..1): characters, any language.

    Raises:
        NotInstalled: without sacrebleu.
    """
    try:
        from sacrebleu.metrics import CHRF
    except ImportError:
        raise _missing("chrf", "sacrebleu") from None
    scorer = CHRF()
    return Metric(
        "chrf",
        lambda row, reply: scorer.sentence_score(reply.text, [row.reference]).score / 100,
        exact=False,
    )


def rouge_l(settings: Settings) -> Metric:
    """ROUGE-L F1 (rouge-score, with stemming): the longest common sequence of English words.

    Raises:
        NotInstalled: without rouge-score.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise _missing("rouge_l", "rouge-score") from None
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return Metric(
        "rouge_l",
        lambda row, reply: float(scorer.score(row.reference, reply.text)["rougeL"].fmeasure),
        exact=False,
    )


def _missing(metric: str, package: str) -> NotInstalled:
    return NotInstalled(
        f"{metric} needs {package}, which is not installed",
        hint="pip install 'ftbridge[eval]'",
    )
