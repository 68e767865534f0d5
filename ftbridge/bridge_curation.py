"""What the library's front door does to make data: drafts, their review, and preferences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge import arguments
from ftbridge.dataset import Dataset
from ftbridge.errors import UsageError
from ftbridge.policy import Privacy

if TYPE_CHECKING:
    from ftbridge.curate.expand import Expanded
    from ftbridge.curate.pairs import Answering, Pair, Wish
    from ftbridge.curate.review import Review
    from ftbridge.evaluate.desk import Respondent
    from ftbridge.jobs.ledger import Ledger

Say = Callable[[float, str], None]


def _silent(share: float, text: str) -> None:
    return None


class BridgeCuration:
    """The part of :class:`ftbridge.Bridge` that makes data with models, and keeps it honest."""

    if TYPE_CHECKING:

        @property
        def ledger(self) -> Ledger: ...

        def _respondent(self, reference: str) -> Respondent: ...

    def expand(
        self,
        data: Dataset | str | Path,
        out: str | Path,
        *,
        model: str,
        count: int | None = None,
        kind: str | None = None,
        max_tokens: int = 1024,
        max_usd: Decimal | str | float | None = None,
        allow_unknown_cost: bool = False,
        privacy: str | None = None,
        on_progress: Say = _silent,
    ) -> Expanded:
        """Drafts of examples for kinds that the data have too few of; a person reviews them.

        Args:
            out: the drafts' file, which no reader takes until they are accepted.
            model: who writes, at any provider; some rows go there.
            count: drafts of each kind; what is missing to 20 by default.
            kind: one label; every label that has too few by default.

        Raises:
            UsageError, DataError, PolicyRefused, BudgetRefused, OperationFailed: see
            :func:`ftbridge.curate.expand.expand`.
        """
        from ftbridge.curate import expand

        if count is not None and count < 1:
            raise UsageError(f"{count} drafts are none", hint="1 or more", where="count")
        wish = expand.Wish(
            _dataset(data), Path(out), self._respondent(model), count, kind, max_tokens,
            _budget(max_usd, allow_unknown_cost), _label(privacy),
        )  # fmt: skip
        return expand.expand(wish, self.ledger, on_progress)

    def review(self, drafts: str | Path, *, reviewer: str | None = None) -> Review:
        """The drafts of a file, to be accepted, edited or rejected one by one.

        Raises:
            DataError: where the file holds other rows.
        """
        from ftbridge.curate.review import Review

        return Review(drafts, reviewer)

    def rate(
        self,
        data: Dataset | str | Path,
        out: str | Path,
        ask: Callable[[Pair, int], str],
        *,
        models: Sequence[str],
        rater: str | None = None,
        on_progress: Say = _silent,
        **limits: Any,
    ) -> dict[str, Any]:
        """Show a person two answers to each prompt and keep the better one, for DPO.

        Each choice is on disk before the next pair is shown; who answered is not shown.

        Args:
            out: the file of preferences; prompts that it holds are not shown again.
            ask: see :func:`ftbridge.curate.pairs.choose`.
            models: one (which answers twice) or two.
            limits: ``max_tokens``, ``limit``, ``max_usd``, ``allow_unknown_cost``, ``privacy``.

        Returns:
            ``out``, ``pairs`` shown at most, ``kept``, ``ties``, ``usd``.
        """
        from ftbridge.curate import files, pairs

        answering, wish = self._answering(data, out, models, None, **limits)
        found = answering.pairs(on_progress)
        kept = ties = 0
        for pair, better in pairs.choose(found, ask):
            if better is None:
                ties += 1
                continue
            pairs.keep(wish, [pair.preference(better, rater or files.me(), "person")])
            kept += 1
        told = {"out": str(wish.out), "pairs": len(found), "kept": kept, "ties": ties}
        return told | {"usd": answering.usd}

    def judge(
        self,
        data: Dataset | str | Path,
        out: str | Path,
        *,
        models: Sequence[str],
        judge: str,
        criteria: str | Path | None = None,
        judge_max_tokens: int = 16,
        on_progress: Say = _silent,
        **limits: Any,
    ) -> dict[str, Any]:
        """Let a model judge two answers to each prompt in both orders; keep clear wins (RLAIF).

        Args:
            judge: who judges, at any provider; prompts and answers go there.
            limits: as :meth:`rate`.

        Returns:
            ``out``, ``pairs``, ``kept``, ``judge`` (wins, ties, position bias), ``usd``.
        """
        from ftbridge.curate import pairs
        from ftbridge.evaluate.metrics.judge import CRITERIA, Judge

        words = arguments.text(criteria, "criteria") or CRITERIA
        judging = Judge(self._respondent(judge), words, judge_max_tokens)
        answering, wish = self._answering(data, out, models, judging, **limits)
        found = answering.pairs(on_progress)
        rows, told = answering.judged(found, judging)
        pairs.keep(wish, rows)
        sums = {"out": str(wish.out), "pairs": len(found), "kept": len(rows), "judge": told}
        return sums | {"usd": answering.usd}

    def _answering(
        self,
        data: Dataset | str | Path,
        out: str | Path,
        models: Sequence[str],
        judge: Any,
        *,
        max_tokens: int = 512,
        limit: int | None = None,
        max_usd: Decimal | str | float | None = None,
        allow_unknown_cost: bool = False,
        privacy: str | None = None,
    ) -> tuple[Answering, Wish]:
        from ftbridge.curate import pairs

        wish = pairs.Wish(
            _dataset(data), Path(out), [self._respondent(each) for each in models], judge,
            max_tokens, limit, _budget(max_usd, allow_unknown_cost), _label(privacy),
        )  # fmt: skip
        return pairs.Answering(wish, self.ledger), wish


def _dataset(data: Dataset | str | Path) -> Dataset:
    return data if isinstance(data, Dataset) else Dataset(data)


def _budget(max_usd: Decimal | str | float | None, allow_unknown: bool) -> Any:
    from ftbridge.evaluate.budget import Budget

    return Budget(arguments.usd(max_usd), allow_unknown)


def _label(privacy: str | None) -> Privacy | None:
    return None if privacy is None else arguments.choice(Privacy, privacy, "privacy")
