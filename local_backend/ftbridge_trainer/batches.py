"""Order, windows and layout of examples.

A *window* is the examples of one optimizer step (`batch_size` of them, fewer in an epoch's last).
Layout changes how a window passes through the model, never what the step computes: padded and
packed windows hold the same examples and give the same gradient.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .items import Example, Item, Pair, parts_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """What one forward pass needs. B rows of T tokens, N of which are trained.

    `positions` restart at 0 with every example. No attention mask goes with it: padding stands to
    the right, where causal attention never looks from a real token, and packed examples are told
    apart by their positions (an all-ones mask would silently undo that).
    """

    ids: torch.Tensor  # [B, T] int64
    positions: torch.Tensor  # [B, T] int64
    rows: torch.Tensor  # [N] int64: flat positions in B*T whose next token is trained
    targets: torch.Tensor  # [N] int64: those next tokens
    owners: torch.Tensor  # [N] int64: the number of the sequence that each trained token is in
    references: torch.Tensor  # [P] fp32: of each pair; empty where there are none
    tokens: int  # real tokens, without padding

    def to(self, device: str) -> Batch:
        """The same batch on another device."""
        return Batch(
            self.ids.to(device),
            self.positions.to(device),
            self.rows.to(device),
            self.targets.to(device),
            self.owners.to(device),
            self.references.to(device),
            self.tokens,
        )


def epoch_order(n_examples: int, seed: int, epoch: int) -> list[int]:
    """The order of an epoch: a function of (seed, epoch) alone, so a resumed run finds it again."""
    order = list(range(n_examples))
    # a text seed is hashed by SHA-512, the same in every process
    random.Random(f"{seed}:{epoch}").shuffle(order)  # noqa: S311 - no secret
    return order


def window(n_examples: int, batch_size: int, seed: int, step: int) -> list[int]:
    """Indices of the examples of optimizer step `step` (0-based)."""
    steps_an_epoch = -(-n_examples // batch_size)
    epoch, place = divmod(step, steps_an_epoch)
    return epoch_order(n_examples, seed, epoch)[place * batch_size : (place + 1) * batch_size]


def split_padded(lengths: Sequence[int], rows: int) -> list[list[list[int]]]:
    """Micro-batches of `rows` rows, one example each, longest first so that equals meet."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    return [[[i] for i in order[k : k + rows]] for k in range(0, len(order), rows)]


def split_packed(lengths: Sequence[int], capacity: int) -> list[list[list[int]]]:
    """Micro-batches of one row of at most `capacity` tokens: first fit, longest first."""
    bins: list[list[int]] = []
    free: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        for k, room in enumerate(free):
            if lengths[i] <= room:
                bins[k].append(i)
                free[k] -= lengths[i]
                break
        else:
            bins.append([i])
            free.append(capacity - lengths[i])
    return [[packed] for packed in bins]


def padding_share(lengths: Sequence[int], batch_size: int, seed: int) -> float:
    """Share of padding in the first epoch if each window were one padded batch, longest first."""
    order = epoch_order(len(lengths), seed, 0)
    real = padded = 0
    for k in range(0, len(order), batch_size):
        chosen = [lengths[i] for i in order[k : k + batch_size]]
        real += sum(chosen)
        padded += max(chosen) * len(chosen)
    return 1 - real / padded if padded else 0.0


def micro_batches(items: Sequence[Item], packing: bool, rows: int, max_length: int) -> list[Batch]:
    """The forward passes of one window. A packed row holds what `rows` padded items could."""
    if packing:
        lengths = [sum(len(part.ids) for part in item.parts) for item in items]
        groups = split_packed(lengths, rows * max_length * len(items[0].parts))
    else:
        groups = split_padded([max(len(part.ids) for part in item.parts) for item in items], rows)
    return [_laid_out([[items[i] for i in row] for row in group], packing) for group in groups]


def _laid_out(rows: Sequence[Sequence[Item]], packing: bool) -> Batch:
    """A packed row holds whole items; else each sequence has a row of its own."""
    items = [item for row in rows for item in row]
    references = [item.reference for item in items if isinstance(item, Pair)]
    if packing:
        return collate([parts_of(row) for row in rows], references)
    return collate([[part] for part in parts_of(items)], references)


def collate(rows: Sequence[Sequence[Example]], references: Sequence[float] = ()) -> Batch:
    """Lay out rows of one or more examples as tensors, padded on the right to the longest row."""
    import torch

    width = max(sum(len(example.ids) for example in row) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)  # the padding's id is never looked at
    positions = torch.zeros(len(rows), width, dtype=torch.long)
    places: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    tokens = number = 0
    for r, row in enumerate(rows):
        at = 0
        for example in row:
            length = len(example.ids)
            ids[r, at : at + length] = torch.tensor(example.ids)
            positions[r, at : at + length] = torch.arange(length)
            for t in range(1, length):
                if example.trained[t]:  # token t is predicted from the position before it
                    places.append(r * width + at + t - 1)
                    targets.append(example.ids[t])
                    owners.append(number)
            at += length
            number += 1
        tokens += at
        # padding counts on, so that a row of one example still reads as one sequence
        last = int(positions[r, at - 1])
        positions[r, at:] = torch.arange(last + 1, last + 1 + width - at)
    places_, targets_, owners_ = (torch.tensor(found) for found in (places, targets, owners))
    ratios = torch.tensor(references, dtype=torch.float32)
    return Batch(ids, positions, places_, targets_, owners_, ratios, tokens)
