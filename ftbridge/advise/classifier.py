"""Would a plain text classifier do? Trained here in seconds, judged by cross-validation."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ftbridge.errors import NotInstalled
from ftbridge.evaluate.rows import Row
from ftbridge.evaluate.statistics import wilson

FOLDS = 5
MOST_ROWS = 5_000
"""More change the figure little and take long."""


@dataclass(frozen=True)
class Classifier:
    """A cross-validated classifier: share of rows right when held out, with its 95 % interval.

    TF-IDF over words and characters and logistic regression (scikit-learn).
    """

    accuracy: float
    ci: tuple[float, float]
    rows: int
    labels: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | {"ci": list(self.ci)}


def classify(rows: Sequence[Row]) -> Classifier | None:
    """Cross-validate on label rows; None where no label has rows for every fold.

    Labels with fewer rows than folds are left out: nothing can be said of them.

    Raises:
        NotInstalled: without scikit-learn.
    """
    counts = Counter(row.reference.strip() for row in rows)
    kept = [row for row in rows if counts[row.reference.strip()] >= FOLDS][:MOST_ROWS]
    labels = [row.reference.strip() for row in kept]
    if len(set(labels)) < 2 or min(Counter(labels).values()) < FOLDS:
        return None
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.pipeline import make_pipeline, make_union
    except ImportError:
        raise NotInstalled(
            "a classifier needs scikit-learn, which is not installed",
            hint="pip install 'ftbridge[eval]'",
        ) from None
    began = time.monotonic()
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(C=10, max_iter=300))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # slow convergence costs accuracy, which is measured
        said = cross_val_predict(model, [question(row) for row in kept], labels, cv=folds)
    right = sum(a == b for a, b in zip(said, labels, strict=True))
    return Classifier(
        accuracy=right / len(kept),
        ci=wilson(right, len(kept)),
        rows=len(kept),
        labels=len(set(labels)),
        seconds=round(time.monotonic() - began, 3),
    )


def question(row: Row) -> str:
    """What is asked in a row, the system message aside, which is the same for all."""
    texts = []
    for message in row.messages:
        content = message.get("content")
        if message["role"] != "system" and isinstance(content, str):
            texts.append(content)
    return "\n".join(texts)
