"""Training methods: how rows become items, what a loss is averaged over, and the loss.

A method is made for one recipe. Whatever it measures beside the loss is summed like the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .batches import Batch
from .data import ChatRow, PairRow, Row, TextRow, invalid
from .items import Item, Pair, Prompt
from .keys import NEW_TOKENS
from .loss import token_nll
from .render import Renderer

if TYPE_CHECKING:
    import torch


@dataclass
class Summed:
    """A loss summed over its units, and further sums by name."""

    loss: torch.Tensor
    measures: dict[str, torch.Tensor]


class Method(Protocol):
    """What the loop needs to know of a training method; `measures` are named beside the loss."""

    measures: ClassVar[tuple[str, ...]]

    def item(self, renderer: Renderer, row: Row) -> Item:
        """Turn a row of the data into what is trained on."""
        ...

    def units(self, items: Sequence[Item]) -> int:
        """What a mean loss is the mean over."""
        ...

    def summed(self, model: Any, batch: Batch) -> Summed:
        """The loss of a batch, summed over its units (the loop divides)."""
        ...


class Sft:
    """Supervised fine-tuning: cross-entropy of the trained tokens, each token a unit."""

    measures: ClassVar[tuple[str, ...]] = ()

    def item(self, renderer: Renderer, row: Row) -> Item:
        """One conversation, its assistant turns trained; or one text, all of it trained."""
        if isinstance(row, PairRow):
            raise invalid(row.where, "a preference, which sft does not train on", "use dpo")
        return renderer.text(row) if isinstance(row, TextRow) else renderer.encode(row)

    def units(self, items: Sequence[Item]) -> int:
        """Trained tokens."""
        return sum(item.trained_tokens for item in items)

    def summed(self, model: Any, batch: Batch) -> Summed:
        """-sum log p(target) over the trained tokens, in nats."""
        return Summed(token_nll(model, batch).sum(), {})


@dataclass(frozen=True)
class Dpo:
    """Direct preference optimisation (Rafailov et al. 2023, equation 7), each pair a unit.

    `-log sigmoid(beta * (r_theta - r_ref))`, `r` being log p(chosen) - log p(rejected), summed
    over the tokens of the answers.
    """

    measures: ClassVar[tuple[str, ...]] = ("reward_margin", "reward_accuracy")
    beta: float

    def item(self, renderer: Renderer, row: Row) -> Item:
        """Two answers to one prompt."""
        if not isinstance(row, PairRow):
            raise invalid(row.where, "no preference, which dpo trains on", "use sft")
        chosen, rejected = (
            renderer.encode(
                ChatRow(
                    row.where,
                    [*row.prompt, *answer],
                    [False] * len(row.prompt) + [turn["role"] == "assistant" for turn in answer],
                    row.tools,
                )
            )
            for answer in (row.chosen, row.rejected)
        )
        return Pair(chosen, rejected)

    def units(self, items: Sequence[Item]) -> int:
        """Pairs."""
        return len(items)

    def summed(self, model: Any, batch: Batch) -> Summed:
        """The loss, the reward margin and the share of pairs that are ordered rightly."""
        import torch

        margins = self.beta * (ratios(model, batch) - batch.references)  # [P]
        loss = -torch.nn.functional.logsigmoid(margins).sum()
        seen = margins.detach()
        return Summed(loss, {"reward_margin": seen.sum(), "reward_accuracy": (seen > 0).sum()})


@dataclass(frozen=True)
class Rl:
    """Reinforcement: a prompt, whose answers a grader scores; the steps are TRL's (`grpo`)."""

    new_tokens: int

    def item(self, renderer: Renderer, row: Row) -> Item:
        """One prompt and the keys beside it."""
        if not isinstance(row, ChatRow):
            raise invalid(row.where, "no prompt, which rl draws answers for", "use sft or dpo")
        if row.messages[-1]["role"] == "assistant":
            raise invalid(row.where, "ends with an answer", "end with the user's turn")
        if row.tools is not None:
            raise invalid(row.where, "has tools, which rl has no use for here", "remove them")
        ids = renderer.prompt(row)
        return Prompt(row.where, ids, row.messages, row.fields, self.new_tokens)


class Reads(Protocol):
    """What turns a row of the data into what is trained on."""

    def item(self, renderer: Renderer, row: Row) -> Item:
        """One row's item."""
        ...


def reader_of(raw: Mapping[str, Any]) -> Reads:
    """How a recipe's rows are read, before its gaps are filled."""
    name = raw.get("method", "sft")
    return Rl(raw.get("max_new_tokens") or NEW_TOKENS) if name == "rl" else method_of(name, None)


def ratios(model: Any, batch: Batch) -> torch.Tensor:
    """log p(chosen) - log p(rejected) of each pair of a batch: [P], fp32, in nats."""
    import torch

    nll = token_nll(model, batch)  # [N]
    sums = torch.zeros(2 * len(batch.references), dtype=nll.dtype, device=nll.device)
    log_p = sums.index_add(0, batch.owners, -nll).view(-1, 2)
    return log_p[:, 0] - log_p[:, 1]


def method_of(name: str, beta: float | None) -> Method:
    """The method of a recipe."""
    return Dpo(beta or 0.0) if name == "dpo" else Sft()
