"""What the library's front door says of tokens, beside plans and offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.config import Config
from ftbridge.cost.tokens import Counter, count_kept, counter_for, estimate_fast, rule_for
from ftbridge.cost.tokens.families import rule_of_family
from ftbridge.cost.tokens.stand_in import FRAME
from ftbridge.cost.types import TokenCount
from ftbridge.dataset import Dataset
from ftbridge.jobs.spec import Method
from ftbridge.provider import Provider


class BridgeTokens:
    """The part of :class:`ftbridge.Bridge` that counts tokens."""

    config: Config

    if TYPE_CHECKING:

        def provider(self, name: str, options: Mapping[str, str] | None = None) -> Provider: ...

    def tokens(
        self,
        data: Dataset | str | Path,
        *,
        provider: str | None = None,
        model: str | None = None,
        fast: bool = False,
        workers: int | None = None,
    ) -> TokenCount:
        """The tokens of one pass over a file, with their grade; kept by content.

        Args:
            provider: count as it bills.
            model: a model of that provider, else of an open family; neither named: o200k in
                OpenAI's frame, as a yardstick.
            fast: from a sample, with a 95 % interval.
            workers: processes; all cores if left out.

        Raises:
            DataError: where the file is missing or unreadable, or has no good example.
            UsageError: where a file that is not JSON lines shall be sampled.
        """
        dataset = data if isinstance(data, Dataset) else Dataset(data)
        counter = self._counter(dataset, provider, model)
        if fast:
            return estimate_fast(dataset, counter).count(1)
        return count_kept(dataset, counter, self.config.home, workers).count(1)

    def _counter(self, dataset: Dataset, provider: str | None, model: str | None) -> Counter:
        if provider is None:
            rule = rule_of_family(model) if model else FRAME
            return counter_for(rule, None)
        place = self.provider(provider)
        method = {"preference": Method.DPO, "reward": Method.RL}.get(dataset.kind, Method.SFT)
        chosen = place.resolve_model(model, method)
        return counter_for(rule_for(place.catalogue(), chosen), place.counter(chosen))
