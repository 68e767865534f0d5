"""What the library's front door advises before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge import arguments
from ftbridge.advise.advice import Advice, Baseline, Known, advise
from ftbridge.advise.classifier import Classifier, classify
from ftbridge.advise.failures import failures
from ftbridge.compare import Comparison, Offer
from ftbridge.dataset import Dataset
from ftbridge.dataset.types import Kind
from ftbridge.errors import FtbridgeError, NotInstalled, UsageError
from ftbridge.evaluate import rows as rows_of
from ftbridge.evaluate.asking import Asking, begin
from ftbridge.evaluate.leaving import Leaving
from ftbridge.evaluate.rows import Row
from ftbridge.job import Model
from ftbridge.jobs.ledger import Ledger
from ftbridge.policy import Privacy

OFFERS = 3
SAMPLE = 60


class BridgeAdvice:
    """The part of :class:`ftbridge.Bridge` that advises."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def model(self, reference: str) -> Model: ...

        def compare(self, data: Dataset, *, method: str, privacy: str | None) -> Comparison: ...

    def advise(
        self,
        data: Dataset | str | Path,
        *,
        baseline: str | None = None,
        sample: int = SAMPLE,
        max_tokens: int = 256,
        privacy: str | None = None,
        on_progress: Callable[[float, str], None] = lambda share, text: None,
    ) -> Advice:
        """Whether to prompt, retrieve, classify, collect or tune, with the evidence for each.

        Works without any key: what then cannot be known is said (``unknown``).

        Args:
            baseline: a model that is asked ``sample`` rows by their own prompt: ``provider:model``,
                a folder, a job or an alias. Its calls are kept, and never made twice.
            max_tokens: of each of its answers.
            privacy: the data's label, at least.

        Raises:
            DataError: where the file is bad; UsageError for a sample below 10;
            PolicyRefused where the rows may not be sent to the baseline.
        """
        if sample < 10:
            raise UsageError(f"{sample} rows say nothing", hint="10 or more", where="sample")
        label = None if privacy is None else arguments.choice(Privacy, privacy, "privacy")
        dataset = data if isinstance(data, Dataset) else Dataset(data)
        if dataset.kind is not Kind.CHAT:
            return self._without_answers(dataset, privacy)
        rows = rows_of.load(dataset, None)
        labels = rows_of.label_set(rows)
        unknown = [] if baseline else ["how the model does by its prompt alone: --baseline"]
        known = Known(
            dataset.kind,
            len(rows),
            Counter(row.reference.strip() for row in rows) if labels else None,
            self._baseline(dataset, rows, baseline, sample, max_tokens, labels, label, on_progress)
            if baseline
            else None,
            _classified(rows, unknown) if labels else None,
            self._offers(dataset, privacy, unknown),
            tuple(unknown),
        )
        return advise(known)

    def _without_answers(self, dataset: Dataset, privacy: str | None) -> Advice:
        """Preferences, rewards and texts: nothing is asked of a model, which is said."""
        unknown = [f"how a model does on data of kind {dataset.kind}: that is not measured here"]
        examples = sum(1 for _ in dataset.examples())
        offers = self._offers(dataset, privacy, unknown)
        return advise(Known(dataset.kind, examples, offers=offers, unknown=tuple(unknown)))

    def _baseline(
        self,
        dataset: Dataset,
        rows: list[Row],
        reference: str,
        sample: int,
        max_tokens: int,
        labels: frozenset[str] | None,
        label: Privacy | None,
        on_progress: Callable[[float, str], None],
    ) -> Baseline:
        model = self.model(reference)
        every = max(1, len(rows) // sample)
        chosen = rows[::every][:sample]
        leaving = Leaving.cleared([dataset], [model], None, label)
        asked = Asking(model, [rows_of.request(row, max_tokens) for row in chosen], leaving)
        evaluation = begin(self.ledger, dataset, model, "advise")
        replies = asked.ask(
            self.ledger, evaluation, lambda n, text: on_progress(n / len(chosen), text)
        ).replies
        found = failures(chosen, replies, labels)
        wrong = sum(each.count for each in found)
        return Baseline(reference, len(chosen), len(chosen) - wrong, tuple(found))

    def _offers(self, dataset: Dataset, privacy: str | None, unknown: list[str]) -> list[Offer]:
        method = {Kind.PREFERENCE: "dpo", Kind.REWARD: "rl"}.get(dataset.kind, "sft")
        try:
            found = self.compare(dataset, method=method, privacy=privacy)
        except FtbridgeError as error:
            unknown.append(f"what it costs: {error.message}")
            return []
        return [offer for offer in found.offers if offer.allowed][:OFFERS]


def _classified(rows: list[Row], unknown: list[str]) -> Classifier | None:
    try:
        return classify(rows)
    except NotInstalled as error:
        unknown.append(f"whether a plain classifier would do: {error.message} ({error.hint})")
        return None
